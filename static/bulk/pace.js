// @ts-check
// How fast a job is, and how long it still takes.
const WINDOW_MS = 15_000;

export class Pace {
  /** @type {{ done: number, now: number }[]} */
  #samples = [];
  /** @type {{ done: number, now: number } | null} */
  #first = null;
  #all = { done: 0, ms: 0 }; // of what came before the last restart

  /**
   * So much is done at `now`, in milliseconds.
   * @param {number} done
   * @param {number} now
   */
  note(done, now) {
    this.#samples.push({ done, now });
    this.#first ??= { done, now };
    while (this.#samples.length > 2 && this.#samples[1].now < now - WINDOW_MS) this.#samples.shift();
  }

  /** After a pause: what came before says nothing about what comes. */
  restart() {
    this.#all = this.#total;
    this.#samples = [];
    this.#first = null;
  }

  /** Of the last seconds, one a second; null where it is not known. */
  get rate() {
    const first = this.#samples[0];
    const last = this.#samples.at(-1);
    return last && last.now > first.now && last.done > first.done ? ((last.done - first.done) * 1000) / (last.now - first.now) : null;
  }

  get #total() {
    const last = this.#samples.at(-1);
    if (!last || !this.#first) return this.#all;
    return { done: this.#all.done + last.done - this.#first.done, ms: this.#all.ms + last.now - this.#first.now };
  }

  /** Over the whole time without the pauses, one a second; null where it is not known. */
  get mean() {
    const { done, ms } = this.#total;
    return ms > 0 && done > 0 ? (done * 1000) / ms : null;
  }

  /**
   * Seconds for so many more; null where it is not known.
   * @param {number} more
   */
  left(more) {
    return this.rate === null ? null : more / this.rate;
  }
}
