// @ts-check
// Jobs in this browser (IndexedDB): a table, what was asked about it, and what came back, so that a job survives its tab.
import { breathe } from "./breathe.js";
import { exact } from "./json_lines.js";

const NAME = "structbert-lite-bulk";
const VERSION = 1;
const ROWS = 2000; // of a table in one record: a whole one would stop the page while it is copied
const KEPT_MS = 14 * 24 * 3600 * 1000;

/**
 * @typedef {object} Job
 * @property {string} id
 * @property {number} created milliseconds of the epoch
 * @property {string} name of the file
 * @property {import("./scoring.js").Asked} asked
 * @property {string[]} columns
 * @property {[number, import("./table.js").Reason][]} faults
 * @property {import("./table.js").Facts} facts
 * @property {number} total rows
 * @property {number} done when it was last said
 * @property {string} state
 */
/** @typedef {"outcome" | "aspects" | "correction"} Kind */
/** @typedef {{ kind: Kind, items: [number, any][] }} Found what came back, by row */

/**
 * @template Result
 * @param {IDBRequest<Result>} request
 * @returns {Promise<Result>}
 */
const answer = (request) => new Promise((done, failed) => {
  request.onsuccess = () => done(request.result);
  request.onerror = () => failed(request.error);
});

/**
 * @param {IDBTransaction} transaction
 * @returns {Promise<void>}
 */
const finished = (transaction) => new Promise((done, failed) => {
  transaction.oncomplete = () => done();
  transaction.onerror = transaction.onabort = () => failed(transaction.error);
});

export class Store {
  /** @param {IDBDatabase} database */
  constructor(database) {
    this.database = database;
  }

  /** Null where the browser keeps nothing. */
  static async open() {
    try {
      const request = indexedDB.open(NAME, VERSION);
      request.onupgradeneeded = () => {
        const database = request.result;
        database.createObjectStore("jobs", { keyPath: "id" });
        for (const name of ["rows", "found"]) database.createObjectStore(name, { autoIncrement: true }).createIndex("job", "job");
      };
      const store = new Store(await answer(request));
      for (const job of await store.jobs()) if (job.created < Date.now() - KEPT_MS) await store.remove(job.id);
      return store;
    } catch {
      return null;
    }
  }

  /**
   * Newest first.
   * @returns {Promise<Job[]>}
   */
  async jobs() {
    const all = await answer(this.database.transaction("jobs").objectStore("jobs").getAll());
    return all.sort((one, other) => other.created - one.created);
  }

  /** @param {Job} job */
  async note(job) {
    const transaction = this.database.transaction("jobs", "readwrite");
    transaction.objectStore("jobs").put(job);
    await finished(transaction);
  }

  /**
   * A new job with its table.
   * @param {Job} job
   * @param {unknown[][]} rows
   */
  async add(job, rows) {
    for (let at = 0; at < rows.length; at += ROWS) {
      const transaction = this.database.transaction("rows", "readwrite");
      const part = rows.slice(at, at + ROWS);
      const plain = part.every((row) => row.every((cell) => typeof cell === "string"));
      transaction.objectStore("rows").add({ job: job.id, at, plain, json: JSON.stringify(part) });
      await finished(transaction);
    }
    await this.note(job); // last: a job that can be seen is whole
  }

  /**
   * What came back of a job.
   * @param {string} id
   * @param {Found[]} found
   */
  async append(id, found) {
    const transaction = this.database.transaction("found", "readwrite");
    for (const one of found) transaction.objectStore("found").add({ job: id, ...one });
    await finished(transaction);
  }

  /**
   * @param {Job} job
   * @returns {Promise<{ rows: unknown[][], found: Found[] }>}
   */
  async load(job) {
    const keys = (/** @type {string} */ name) => answer(this.database.transaction(name).objectStore(name).index("job").getAllKeys(job.id));
    const one = (/** @type {string} */ name, /** @type {IDBValidKey} */ key) => answer(this.database.transaction(name).objectStore(name).get(key));
    // One by one, in the order in which they were written: all at once would stop the page.
    /** @type {unknown[][]} */
    const rows = [];
    for (const key of await keys("rows")) {
      const { json, plain } = await one("rows", key);
      for (const row of JSON.parse(json, plain ? undefined : exact)) rows.push(row);
      await breathe();
    }
    /** @type {Found[]} */
    const found = [];
    for (const key of await keys("found")) found.push(await one("found", key));
    return { rows, found };
  }

  /** @param {string} id */
  async remove(id) {
    const transaction = this.database.transaction(["jobs", "rows", "found"], "readwrite");
    transaction.objectStore("jobs").delete(id);
    for (const name of ["rows", "found"]) {
      const store = transaction.objectStore(name);
      for (const key of await answer(store.index("job").getAllKeys(id))) store.delete(key);
    }
    await finished(transaction);
  }
}

const lockOf = (/** @type {string} */ id) => `${NAME} ${id}`;

/**
 * Holds a job for this tab as long as it lives; false where another tab has it. Browsers have locks only on https and localhost.
 * @param {string} id
 * @returns {Promise<boolean>}
 */
export function hold(id) {
  if (!navigator.locks) return Promise.resolve(true);
  return new Promise((done) => {
    navigator.locks.request(lockOf(id), { ifAvailable: true }, (lock) => {
      done(Boolean(lock));
      return lock ? new Promise(() => {}) : undefined;
    });
  });
}

/** Ids of the jobs that tabs hold. */
export async function held() {
  const { held: all = [] } = (await navigator.locks?.query()) ?? {};
  return new Set(all.map(({ name = "" }) => name.slice(NAME.length + 1)));
}
