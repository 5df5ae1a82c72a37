// @ts-check
// One question to the server.
import { keyHeaders } from "./key.js";
import { endpoint, limits } from "./page.js";

/**
 * A fault by the name it has in the texts; perhaps the server's own sentence, and the field it is about. `status` of an
 * answer, 0 where there was none; `wait`: seconds after which the server wants to be asked again; `id` of the request.
 */
export class Fault extends Error {
  /**
   * @param {string} kind
   * @param {string} [detail]
   * @param {string} [field]
   * @param {{ status?: number, wait?: number, id?: string }} [answer]
   */
  constructor(kind, detail = "", field = "", { status = 0, wait = 0, id = "" } = {}) {
    super(detail);
    this.kind = kind;
    this.field = field;
    this.status = status;
    this.wait = wait;
    this.id = id;
  }
}

const TIMING = /total;dur=([\d.]+), cache;desc="(\d+)\/(\d+)"/;

/**
 * What the header Server-Timing says: the server's milliseconds, and how many inputs of how many the cache had.
 * @param {Response} response
 */
function timingOf(response) {
  const [, ms, found, inputs] = TIMING.exec(response.headers.get("Server-Timing") ?? "") ?? [];
  return ms && { ms, found: Number(found), inputs: Number(inputs) };
}

/**
 * Seconds that the header Retry-After says, as a number or a date.
 * @param {Response} response
 */
function waitOf(response) {
  const said = response.headers.get("Retry-After") ?? "";
  return Math.max(0, Number(said) || (Date.parse(said) - Date.now()) / 1000 || 0);
}

/**
 * The server's answer to `body` and, where it is known, its timing; throws a Fault.
 * @param {object} body
 * @param {AbortSignal} signal
 * @param {URL | null} [to]
 * @returns {Promise<{ answer: any, timing?: { ms: string, found: number, inputs: number } | string }>}
 */
export async function ask(body, signal, to = endpoint) {
  const sent = JSON.stringify(body);
  // A server that refuses a large body may hang up before the browser has read why.
  if (new Blob([sent]).size > limits.mb * 2 ** 20) throw new Fault("payload_too_large");
  let response;
  try {
    const headers = { "Content-Type": "application/json", ...keyHeaders() };
    response = await fetch(/** @type {URL} */ (to), { method: "POST", headers, body: sent, signal });
  } catch {
    throw new Fault(signal?.reason?.name === "TimeoutError" ? "timed_out" : "unreachable");
  }
  const answer = await response.json().catch(() => null);
  if (response.ok && answer) return { answer, timing: timingOf(response) };
  const error = answer?.error;
  throw new Fault(error?.type ?? "other", error?.message ?? `HTTP ${response.status}`, error?.field ?? "", {
    status: response.status, wait: waitOf(response), id: response.headers.get("X-Request-ID") ?? "",
  });
}
