// @ts-check
// A table on its way through a task: what is sent, what came back.
import { ask, Fault } from "../api.js";
import { limits } from "../page.js";
import { batchesOf } from "./batches.js";
import { faultOf } from "./column.js";
import { classOf } from "./empty_reviews.js";
import { Results } from "./results.js";
import { Sender } from "./sender.js";
import { TASKS } from "./tasks.js";

const TIMEOUT_MS = 60_000; // longer than any deadline of the server: only for a connection that hangs

/** @typedef {import("./table.js").Rows & { facts: import("./table.js").Facts }} Table */
/** @typedef {{ task: string, api: string, options: import("./tasks.js").Options, places: number[] }} Asked */

/**
 * @param {object} body
 * @param {string} api
 * @param {AbortSignal} signal
 * @returns {Promise<any>}
 */
export async function post(body, api, signal) {
  const late = AbortSignal.timeout(TIMEOUT_MS);
  try {
    return (await ask(body, AbortSignal.any([signal, late]), new URL(api, location.href))).answer;
  } catch (fault) {
    throw late.aborted ? new Fault("deadline_exceeded", "", "", { status: 504 }) : fault;
  }
}

/** @param {number} count */
function* upTo(count) {
  for (let row = 0; row < count; row += 1) yield row;
}

/**
 * {sender, results} for a table and what was chosen. Nothing is sent yet; rows that are `known` from before never are.
 * @param {Table} table
 * @param {Asked} asked
 * @param {object} listener
 * @param {import("./sender.js").Trouble} listener.trouble
 * @param {(row: number, outcome: import("./results.js").Outcome) => void} listener.settled
 * @param {Iterable<[number, import("./results.js").Outcome]>} [known]
 */
export function scoring(table, { task, api, options, places }, { trouble, settled }, known = []) {
  const of = TASKS[task];
  const { columns, rows, faults, facts } = table;
  const results = new Results(rows.length, of, options);
  for (const [row, outcome] of known) if (!results.isDone(row)) results.settle(row, outcome);
  /**
   * @param {number} row
   * @param {import("./results.js").Outcome} outcome
   */
  const settle = (row, outcome) => {
    results.settle(row, outcome);
    settled(row, outcome);
  };
  /** @param {number} row */
  const fieldsOf = (row) => {
    if (results.isDone(row)) return null;
    const cells = places.map((place) => rows[row][place]);
    const kind = cells.map(classOf).find(Boolean);
    const reason = faults.get(row) ?? (kind ? null : places.map((place, i) => faultOf(columns[place], cells[i], Boolean(facts.damaged))).find(Boolean));
    if (reason) settle(row, { reason });
    else if (kind) settle(row, { class: kind });
    else return /** @type {string[]} */ (cells);
    return null;
  };
  const sender = new Sender(batchesOf(upTo(rows.length), { fieldsOf, limits, inputs: of.inputs(options) }), {
    ask: (items, signal) => post(of.body(items.map(({ fields }) => fields), options), api, signal),
    settle: ({ row }, { text: _, text_a: __, text_b: ___, ...answer }) => settle(row, { answer }),
    refuse: ({ row }, kind, detail) => settle(row, detail.includes("no readable") ? { class: "blank" } : { reason: { kind, detail } }),
    trouble,
  });
  return { sender, results };
}
