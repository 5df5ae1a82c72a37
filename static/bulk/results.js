// @ts-check
// What came of each row, and what it adds up to.
const BINS = 10;

/** @typedef {import("./table.js").Reason} Reason */
/** @typedef {{ answer: any } | { class: string } | { reason: Reason }} Outcome an answer; a class of rows that are not sent; or why not */
/** @typedef {{ aspect: string, polarity: string, score: number }} Aspect */

export class Results {
  done = 0;
  errors = 0;
  truncated = 0;
  bins = new Array(BINS).fill(0);
  /** @type {Map<string, number>} rows by group; those of classes that were not sent are counted in `unsent` */
  counts;
  /** @type {Map<string, number>} */
  unsent = new Map();
  /** @type {Map<number, string>} labels that somebody gave instead of the model's */
  corrections = new Map();
  /** @type {Map<number, Aspect[]>} where rows were asked about aspects */
  aspects = new Map();
  /** @type {(Outcome | undefined)[]} */
  #found;

  /**
   * @param {number} rows
   * @param {import("./tasks.js").Task} task
   * @param {import("./tasks.js").Options} options
   */
  constructor(rows, task, options) {
    this.total = rows;
    this.task = task;
    this.options = options;
    this.counts = new Map(task.groups(options).map((group) => [group, 0]));
    this.#found = new Array(rows);
  }

  /** Rows that the server answered. */
  get scored() {
    return [...this.counts.values()].reduce((sum, one) => sum + one, 0);
  }

  /** @param {number} row */
  outcome(row) {
    return this.#found[row];
  }

  /** @param {number} row */
  isDone(row) {
    return this.#found[row] !== undefined;
  }

  /** @param {number} row */
  answer(row) {
    const outcome = this.#found[row];
    return outcome && "answer" in outcome ? outcome.answer : null;
  }

  /**
   * The group that a row is counted in: the label that somebody gave it, else the answer's; "blank", "default", "error" of rows without
   * an answer, "" of those to come.
   * @param {number} row
   */
  group(row) {
    const outcome = this.#found[row];
    if (!outcome) return "";
    if ("reason" in outcome) return "error";
    if ("class" in outcome) return outcome.class;
    return this.corrections.get(row) ?? this.task.group(outcome.answer);
  }

  /**
   * @param {number} row
   * @param {Outcome} outcome
   */
  settle(row, outcome) {
    if (this.#found[row]) throw new Error(`row ${row} was settled before`);
    this.#found[row] = outcome;
    this.done += 1;
    if ("reason" in outcome) this.errors += 1;
    else if ("class" in outcome) this.unsent.set(outcome.class, (this.unsent.get(outcome.class) ?? 0) + 1);
    else {
      this.truncated += Number(outcome.answer.truncated);
      this.#count(this.task.group(outcome.answer), 1);
      this.bins[Math.min(Math.floor(this.task.scoreOf(outcome.answer) * BINS), BINS - 1)] += 1;
    }
  }

  /**
   * @param {number} row that has an answer
   * @param {string} label "" takes a correction back
   */
  correct(row, label) {
    this.#count(this.group(row), -1);
    if (label) this.corrections.set(row, label);
    else this.corrections.delete(row);
    this.#count(this.group(row), 1);
  }

  /**
   * @param {string} group
   * @param {number} by
   */
  #count(group, by) {
    this.counts.set(group, (this.counts.get(group) ?? 0) + by);
  }
}
