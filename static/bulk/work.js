// @ts-check
// A job: a table, what is asked about it, what came back; kept in the browser while it goes on.
import { scoring } from "./scoring.js";
import { hold } from "./store.js";

/** @typedef {import("./store.js").Store} Store */
/** @typedef {import("./store.js").Job} Job */
/** @typedef {import("./scoring.js").Table} Table */

const idOf = () => `${Date.now()}-${Math.random().toString(36).slice(2)}`;

export class Work {
  /** @type {import("./store.js").Found[]} */
  #unsaved = [];
  /** @type {Promise<unknown>} */
  #saving = Promise.resolve();
  /** Whether the browser keeps it; false once it would not. */
  kept;

  /**
   * @param {Job} job
   * @param {Table} table
   * @param {Store | null} store
   * @param {import("./store.js").Found[]} found from before
   */
  constructor(job, table, store, found = []) {
    this.job = job;
    this.table = table;
    this.store = store;
    this.kept = Boolean(store);
    /** @type {import("./sender.js").Trouble} */
    this.trouble = () => {};
    const of = (/** @type {import("./store.js").Kind} */ kind) => found.filter((one) => one.kind === kind).flatMap(({ items }) => items);
    const { sender, results } = scoring(table, job.asked, {
      trouble: (fault, said) => this.trouble(fault, said),
      settled: (row, outcome) => this.keep("outcome", row, outcome),
    }, of("outcome"));
    this.sender = sender;
    this.results = results;
    for (const [row, label] of of("correction")) results.correct(row, label);
    for (const [row, aspects] of of("aspects")) results.aspects.set(row, aspects);
  }

  /**
   * A new one; its table is put into the store first.
   * @param {string} name
   * @param {Table} table
   * @param {import("./scoring.js").Asked} asked
   * @param {Store | null} store
   */
  static async begin(name, table, asked, store) {
    const { columns, rows, faults, facts } = table;
    /** @type {Job} */
    const job = { id: idOf(), created: Date.now(), name, asked, columns, faults: [...faults], facts, total: rows.length, done: 0, state: "running" };
    await hold(job.id);
    const work = new Work(job, table, store);
    await store?.add(job, rows).catch(() => { work.kept = false; }); // a full disk, a private window
    return work;
  }

  /**
   * One from the store; null where another tab has it.
   * @param {Job} job
   * @param {Store} store
   */
  static async again(job, store) {
    if (!(await hold(job.id))) return null;
    const { rows, found } = await store.load(job);
    return new Work(job, { columns: job.columns, rows, faults: new Map(job.faults), facts: job.facts }, store, found);
  }

  get isDone() {
    return this.results.done === this.job.total;
  }

  /**
   * Keeps what came back, at the next flush().
   * @param {import("./store.js").Kind} kind
   * @param {number} row
   * @param {unknown} value
   */
  keep(kind, row, value) {
    const last = this.#unsaved.at(-1);
    if (last?.kind === kind) last.items.push([row, value]);
    else this.#unsaved.push({ kind, items: [[row, value]] });
  }

  /** Everything so far into the store. */
  flush() {
    const { store, job } = this;
    if (!store || !this.kept) return this.#saving;
    const found = this.#unsaved;
    const changed = found.length > 0 || job.state !== this.#savedState;
    this.#unsaved = [];
    job.done = this.results.done;
    this.#savedState = job.state;
    if (changed) {
      this.#saving = Promise.all([this.#saving, found.length ? store.append(job.id, found) : null, store.note(job)])
        .catch(() => { this.kept = false; });
    }
    return this.#saving;
  }

  #savedState = "";
}
