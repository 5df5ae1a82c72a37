// Sends batches of items to a server that may be slow, busy, away for a while, or refuse one item of many.
import { Fault } from "../api.js";

const AT_ONCE = 2; // requests in flight
const TRIES = 3; // of a batch on which the server itself fails
const FIRST_WAIT_S = 0.5;
const LONGEST_WAIT_S = 10;
const REFUSED = new Set([400, 413, 422]);
const LATER = new Set([200, 408, 429, 502, 503]); // 200: an answer that was cut off
const ITEM = /^(?:texts|pairs)\[(\d+)\]/;

/** What to do about a fault: the items are at fault, the server is for now, is for good, or took too long. */
function judge({ kind, status, field }) {
  if (kind === "payload_too_large") return "refused";
  if (status === 0 || LATER.has(status)) return "later";
  if (status === 504) return "slow";
  if (status >= 500) return "failed";
  // Labels and the like are the same for all items: no item is at fault.
  return REFUSED.has(status) && (!field || ITEM.test(field) || field === "texts" || field === "pairs") ? "refused" : "stop";
}

/**
 * Every item of `batches`, an iterator of arrays, gets `settle(item, answer)` or `refuse(item, reason)` once, in any order.
 * `ask(items, signal)` gives the answers in order or throws a Fault; `trouble(fault, stopped)` is told of each fault that
 * is no item's, null when it is over.
 */
export class Sender {
  #abort = new AbortController();
  #gate = null; // a promise while paused
  #open = () => {};
  #troubled = false;

  constructor(batches, { ask, settle, refuse, trouble }) {
    Object.assign(this, { batches, ask, settle, refuse, trouble });
  }

  get cancelled() {
    return this.#abort.signal.aborted;
  }

  /** Until all is sent or it is cancelled. */
  async run() {
    await Promise.all(Array.from({ length: AT_ONCE }, () => this.#lane()));
  }

  /** What is in flight is still answered. */
  pause() {
    this.#gate ??= new Promise((open) => { this.#open = open; });
  }

  resume() {
    this.#gate = null;
    this.#open();
  }

  cancel() {
    this.#abort.abort();
    this.resume();
  }

  async #lane() {
    for (;;) {
      await this.#gate;
      if (this.cancelled) return;
      const { value, done } = this.batches.next();
      if (done) return;
      await this.#send(value);
    }
  }

  async #send(items, tries = 0) {
    for (let waits = 0; items.length; ) {
      await this.#gate;
      if (this.cancelled) return;
      try {
        const answers = await this.ask(items, this.#abort.signal);
        if (answers.length !== items.length) throw new Fault("other", "an answer is missing", "", { status: 500 });
        this.#tell(null);
        items.forEach((item, i) => this.settle(item, answers[i]));
        return;
      } catch (fault) {
        if (!(fault instanceof Fault)) throw fault;
        if (this.cancelled) return;
        const verdict = judge(fault);
        if (verdict === "stop") {
          this.pause();
          this.#tell(fault, true);
        } else if (verdict === "later") {
          this.#tell(fault, false);
          await this.#wait(fault.wait, waits++);
        } else if (verdict === "failed" && ++tries < TRIES) {
          await this.#wait(fault.wait, tries);
        } else if (items.length === 1 && verdict === "slow" && ++tries < TRIES) {
          this.#tell(fault, false);
        } else {
          const rest = this.#leaveOut(items, verdict === "refused" ? ITEM.exec(fault.field)?.[1] : null, fault);
          if (rest) {
            items = rest;
            continue;
          }
          const middle = Math.ceil(items.length / 2);
          const left = Math.max(tries - 1, 0);
          await this.#send(items.slice(0, middle), left);
          await this.#send(items.slice(middle), left);
          return;
        }
      }
    }
  }

  /** The items without the one at fault, where it is known; null where it is not. */
  #leaveOut(items, named, fault) {
    const place = items.length === 1 ? 0 : Number(named ?? -1);
    if (!(place in items)) return null;
    this.refuse(items[place], fault.message || fault.kind);
    return items.filter((_, i) => i !== place);
  }

  #tell(fault, stopped = false) {
    if (!fault && !this.#troubled) return;
    this.#troubled = Boolean(fault);
    this.trouble(fault, stopped);
  }

  /** As long as the server wishes, or longer each time; clients that failed together do not come back together. */
  #wait(wished, times) {
    const own = Math.min(FIRST_WAIT_S * 2 ** times, LONGEST_WAIT_S) * (0.5 + Math.random() / 2);
    return new Promise((done) => {
      const timer = setTimeout(done, Math.max(wished, own) * 1000);
      this.#abort.signal.addEventListener("abort", () => { clearTimeout(timer); done(); }, { once: true });
    });
  }
}
