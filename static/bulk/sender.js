// @ts-check
// Sends batches of items to a server that may be slow, busy, away for a while, or refuse one item of many.
import { Fault } from "../api.js";

const AT_ONCE = 2; // requests in flight
const TRIES = 3; // of a batch on which the server itself fails
const FIRST_WAIT_S = 0.5;
const LONGEST_WAIT_S = 10;
const REFUSED = new Set([400, 413, 422]);
const LATER = new Set([200, 408, 429, 502, 503]); // 200: an answer that was cut off
const ITEM = /^(?:texts|pairs)\[(\d+)\]/;

/** @typedef {(fault: Fault | null, said: { stopped: boolean, until: number }) => void} Trouble */

/**
 * What to do about a fault: the items are at fault, the server is for now, is for good, or took too long.
 * @param {Fault} fault
 */
function judge({ kind, status, field }) {
  if (kind === "payload_too_large") return "refused";
  if (status === 0 || LATER.has(status)) return "later";
  if (status === 504) return "slow";
  if (status >= 500) return "failed";
  // Labels and the like are the same for all items: no item is at fault.
  return REFUSED.has(status) && (!field || ITEM.test(field) || field === "texts" || field === "pairs") ? "refused" : "stop";
}

/**
 * Every item of `batches`, an iterator of arrays, gets `settle(item, answer)` or `refuse(item, kind, detail)` once, in any order.
 * `ask(items, signal)` gives the answers in order or throws a Fault. `trouble` is told of each fault that is no item's, null when it is
 * over: whether all has `stopped`, and `until` when it waits, in milliseconds as performance.now() counts them.
 * @template Item
 */
export class Sender {
  #abort = new AbortController();
  /** @type {Promise<void> | null} while paused */
  #gate = null;
  #open = () => {};
  #troubled = false;
  /** @type {Set<number>} when the requests in flight were sent */
  #inFlight = new Set();
  /** @type {Set<() => void>} waits that may be cut short */
  #waits = new Set();

  /**
   * @param {Iterator<Item[]>} batches
   * @param {object} how
   * @param {(items: Item[], signal: AbortSignal) => Promise<any[]>} how.ask
   * @param {(item: Item, answer: any) => void} how.settle
   * @param {(item: Item, kind: string, detail: string) => void} how.refuse
   * @param {Trouble} how.trouble
   */
  constructor(batches, { ask, settle, refuse, trouble }) {
    this.batches = batches;
    this.ask = ask;
    this.settle = settle;
    this.refuse = refuse;
    this.trouble = trouble;
  }

  get cancelled() {
    return this.#abort.signal.aborted;
  }

  /** Milliseconds that the oldest request has had no answer; 0 where none is in flight. */
  get silence() {
    return this.#inFlight.size ? performance.now() - Math.min(...this.#inFlight) : 0;
  }

  /** Who waits asks again at once. */
  hurry() {
    for (const go of this.#waits) go();
  }

  /** Until all is sent or it is cancelled. */
  async run() {
    await Promise.all(Array.from({ length: AT_ONCE }, () => this.#lane()));
  }

  /** What is in flight is still answered. */
  pause() {
    this.#gate ??= new Promise((open) => { this.#open = () => open(); });
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

  /** @param {Item[]} items */
  async #answersTo(items) {
    const sent = performance.now() + this.#inFlight.size * 1e-6; // each its own
    this.#inFlight.add(sent);
    try {
      return await this.ask(items, this.#abort.signal);
    } finally {
      this.#inFlight.delete(sent);
    }
  }

  /**
   * @param {Item[]} items
   * @param {number} [tries]
   * @returns {Promise<void>}
   */
  async #send(items, tries = 0) {
    for (let waits = 0; items.length; ) {
      await this.#gate;
      if (this.cancelled) return;
      try {
        const answers = await this.#answersTo(items);
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
          await this.#wait(fault.wait, waits++, fault);
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

  /**
   * The items without the one at fault, where it is known; null where it is not.
   * @param {Item[]} items
   * @param {string | null | undefined} named
   * @param {Fault} fault
   */
  #leaveOut(items, named, fault) {
    const place = items.length === 1 ? 0 : Number(named ?? -1);
    if (!(place in items)) return null;
    this.refuse(items[place], fault.kind, fault.message);
    return items.filter((_, i) => i !== place);
  }

  /**
   * @param {Fault | null} fault
   * @param {boolean} [stopped]
   * @param {number} [until]
   */
  #tell(fault, stopped = false, until = 0) {
    if (!fault && !this.#troubled) return;
    this.#troubled = Boolean(fault);
    this.trouble(fault, { stopped, until });
  }

  /**
   * As long as the server wishes, or longer each time; clients that failed together do not come back together.
   * @param {number} wished seconds
   * @param {number} times
   * @param {Fault} [fault] that is told
   * @returns {Promise<void>}
   */
  #wait(wished, times, fault) {
    const own = Math.min(FIRST_WAIT_S * 2 ** times, LONGEST_WAIT_S) * (0.5 + Math.random() / 2);
    const ms = Math.max(wished, own) * 1000;
    if (fault) this.#tell(fault, false, performance.now() + ms);
    return new Promise((done) => {
      const over = () => {
        clearTimeout(timer);
        this.#waits.delete(over);
        done();
      };
      const timer = setTimeout(over, ms);
      this.#waits.add(over);
      this.#abort.signal.addEventListener("abort", over, { once: true });
    });
  }
}
