// @ts-check
// Files that are made of the results: CSV, a workbook, training data; labels and columns in the page's language.
import { texts } from "../page.js";
import { breathe } from "./breathe.js";
import { written } from "./cell.js";
import { reasonText } from "./rows_table.js";
import { decimal, named } from "./tasks.js";
import { writeWorkbook } from "./workbook.js";

const AT_ONCE = 2000; // rows between two pauses
const LINE_END = "\r\n";
const BYTE_ORDER_MARK = "\ufeff"; // without it Excel reads Chinese as something else
const LONGEST_NUMBER = 11; // digits; Excel shows longer ones as 2.9E+17

/** @typedef {import("./work.js").Work} Work */

const words = { columns: texts.columns, groups: texts.groups, answers: texts.answers };
const quoted = (/** @type {string} */ cell) => (/[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell);
const line = (/** @type {string[]} */ cells) => cells.map(quoted).join(",") + LINE_END;

/**
 * Put before the new names where the file has one of them already.
 * @param {string[]} names
 * @param {string[]} taken
 */
export function prefixFor(names, taken) {
  let prefix = "";
  while (names.some((name) => taken.includes(prefix + name))) prefix += texts.new_prefix;
  return prefix;
}

/** Names of aspects that any row speaks of, in the order in which they came. */
export const aspectsOf = (/** @type {Work} */ work) =>
  [...new Set([...work.results.aspects.values()].flatMap((all) => all.map(({ aspect }) => aspect)))];

/**
 * @param {Work} work
 * @param {string[]} named aspects
 */
function newColumns(work, named) {
  const { task, options } = work.results;
  const corrected = work.results.corrections.size ? [words.columns.corrected] : [];
  return [...task.columns(options, words), ...corrected, ...named, words.columns.truncated, words.columns.error];
}

/**
 * A row's new cells; null where it is not done.
 * @param {Work} work
 * @param {number} row
 * @param {string[]} all aspects
 * @returns {(string | number)[] | null}
 */
function newCells(work, row, all) {
  const { results } = work;
  const { task, options } = results;
  const outcome = results.outcome(row);
  if (!outcome) return null;
  const aspects = results.aspects.get(row) ?? [];
  const more = [
    ...(results.corrections.size ? [named(results.corrections.get(row) ?? "", words)] : []),
    ...all.map((name) => texts.polarities[aspects.find(({ aspect }) => aspect === name)?.polarity ?? ""] ?? ""),
  ];
  if ("answer" in outcome) return [...task.cells(outcome.answer, options, words), ...more, words.answers[String(outcome.answer.truncated)], ""];
  const empty = task.columns(options, words).map(() => "");
  if ("class" in outcome) empty[0] = task.reads === 1 ? named(outcome.class, words) : "";
  return [...empty, ...more, "", "reason" in outcome ? reasonText(outcome.reason) : ""];
}

/**
 * All columns, and the rows that are done in their order, in parts between which the page may draw.
 * @param {Work} work
 */
async function* outputRows(work) {
  const { columns, rows } = work.table;
  const aspects = aspectsOf(work);
  for (let at = 0; at < rows.length; at += AT_ONCE) {
    const part = [];
    for (let row = at; row < Math.min(at + AT_ONCE, rows.length); row += 1) {
      const found = newCells(work, row, aspects);
      if (found) part.push({ old: columns.map((_, place) => written(rows[row][place])), found });
    }
    yield part;
    await breathe();
  }
}

/** @param {Work} work */
function header(work) {
  const names = newColumns(work, aspectsOf(work));
  const prefix = prefixFor(names, work.table.columns);
  return [...work.table.columns, ...names.map((name) => prefix + name)];
}

/**
 * CSV in UTF-8.
 * @param {Work} work
 */
export async function csvOf(work) {
  const parts = [BYTE_ORDER_MARK + line(header(work))];
  for await (const part of outputRows(work)) {
    parts.push(part.map(({ old, found }) => line([...old, ...found.map((cell) => (typeof cell === "number" ? decimal(cell) : cell))])).join(""));
  }
  return new Blob(parts, { type: "text/csv;charset=utf-8" });
}

/**
 * Whether all cells of a column are numbers that a spreadsheet shows as they are: not ids, nor codes that begin with 0.
 * @param {unknown[][]} rows
 * @param {number} place
 */
function isNumbers(rows, place) {
  let some = false;
  for (const row of rows) {
    const cell = written(row[place]);
    if (!cell) continue;
    if (cell.length > LONGEST_NUMBER || String(Number(cell)) !== cell || !Number.isFinite(Number(cell))) return false;
    some = true;
  }
  return some;
}

/**
 * @param {Work} work
 * @param {import("./xlsx/writer.js").SheetToWrite} summary
 */
export async function workbookOf(work, summary) {
  const { columns, rows } = work.table;
  const numbers = columns.map((_, place) => isNumbers(rows, place));
  /** @type {(string | number)[][]} */
  const sheet = [header(work)];
  for await (const part of outputRows(work)) {
    for (const { old, found } of part) sheet.push([...old.map((cell, place) => (numbers[place] && cell ? Number(cell) : cell)), ...found]);
  }
  return writeWorkbook([{ name: texts.sheets.results, rows: sheet, filter: true }, summary]);
}

/**
 * Texts with the labels that somebody gave them, as `python -m training sentiment` reads them.
 * @param {Work} work
 */
export function trainingOf(work) {
  const [place] = work.job.asked.places;
  const rows = [...work.results.corrections].sort(([one], [other]) => one - other);
  return new Blob([BYTE_ORDER_MARK, line(["text", "label"]), ...rows.map(([row, label]) => line([written(work.table.rows[row][place]), label]))],
    { type: "text/csv;charset=utf-8" });
}

/**
 * Gives the browser a file to keep.
 * @param {Blob} blob
 * @param {string} name
 */
export function save(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

/** A file's name of a job, without its ending. */
export const nameOf = (/** @type {Work} */ work) => work.job.name.replace(/\.\w+$/, "");
