// A table on its way through a task: what is sent, what came back.
import { ask, Fault } from "../api.js";
import { limits } from "../page.js";
import { batchesOf } from "./batches.js";
import { faultOf } from "./column.js";
import { Results } from "./results.js";
import { Sender } from "./sender.js";
import { TASKS } from "./tasks.js";

const PATIENCE_MS = 60_000; // longer than any deadline of the server: only for a connection that hangs

async function post(body, api, signal) {
  const late = AbortSignal.timeout(PATIENCE_MS);
  try {
    return (await ask(body, AbortSignal.any([signal, late]), new URL(api, location.href))).answer;
  } catch (fault) {
    throw late.aborted ? new Fault("deadline_exceeded", "", "", { status: 504 }) : fault;
  }
}

/** Put before the new names where the file has one of them already. */
function prefixFor(names, taken) {
  let prefix = "";
  while (names.some((name) => taken.includes(prefix + name))) prefix += "new_";
  return prefix;
}

/** {sender, results, prefix} for a table and what was chosen; `trouble` as Sender says. Nothing is sent yet. */
export function scoring(table, { task, api, options, places }, trouble) {
  const of = TASKS[task];
  const { columns, rows, faults, facts } = table;
  const results = new Results(rows.length, of.columns(options), of.groups(options));
  const fieldsOf = (row) => places.map((place) => rows[row][place]);
  const refuse = (row, reason) => results.fail(row, reason);
  const batches = batchesOf(rows.length, {
    fieldsOf,
    faultOf: (row) => faults.get(row) ?? places.map((place) => faultOf(columns[place], rows[row][place], facts.damaged)).find(Boolean),
    refuse,
    limits,
    inputs: of.inputs(options),
  });
  const sender = new Sender(batches, {
    ask: (items, signal) => post(of.body(items.map(({ fields }) => fields), options), api, signal),
    settle: ({ row }, answer) => results.set(row, of.cells(answer, options), answer.truncated, of.group(answer), of.scoreOf(answer)),
    refuse: ({ row }, reason) => refuse(row, reason),
    trouble,
  });
  return { sender, results, prefix: prefixFor(results.columns, columns) };
}
