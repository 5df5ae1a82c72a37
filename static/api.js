// One question to the server.
import { endpoint, limits } from "./page.js";

/** A fault by the name it has in the texts; perhaps the server's own sentence, and the field it is about. */
export class Fault extends Error {
  constructor(kind, detail = "", field = "") {
    super(detail);
    this.kind = kind;
    this.field = field;
  }
}

const TIMING = /total;dur=([\d.]+), cache;desc="(\d+)\/(\d+)"/;

/** What the header Server-Timing says: the server's milliseconds, and how many inputs of how many the cache had. */
function timingOf(response) {
  const [, ms, found, inputs] = TIMING.exec(response.headers.get("Server-Timing")) ?? [];
  return ms && { ms, found: Number(found), inputs: Number(inputs) };
}

/** The server's answer to `body` and, where it is known, its timing; throws a Fault. */
export async function ask(body, signal) {
  const sent = JSON.stringify(body);
  // A server that refuses a large body may hang up before the browser has read why.
  if (new Blob([sent]).size > limits.mb * 2 ** 20) throw new Fault("payload_too_large");
  let response;
  try {
    response = await fetch(endpoint, { method: "POST", headers: { "Content-Type": "application/json" }, body: sent, signal });
  } catch {
    throw new Fault("unreachable");
  }
  const answer = await response.json().catch(() => null);
  if (response.ok && answer) return { answer, timing: timingOf(response) };
  const error = answer?.error;
  throw new Fault(error?.type ?? "other", error?.message ?? `HTTP ${response.status}`, error?.field ?? "");
}
