// @ts-check
// Which column has the text, by its name and what is in it, which one has dates, and why a cell cannot be sent.
import { written } from "./cell.js";
import { claimOf } from "./names.js";

const LOOKED_AT = 200; // rows
const LONGEST = 1000; // characters of a cell
const CHINESE = /\p{Script=Han}/gu;
const NUMBER = /^[\s\d.,:%+\-/年月日时分秒¥￥$]*$/;
const DAY = /^(\d{4})[-/.年](\d{1,2})(?:[-/.月](\d{1,2}))?|^(\d{4})(\d{2})(\d{2})(?!\d)/;

/** @param {number[]} numbers */
const mean = (numbers) => (numbers.length ? numbers.reduce((sum, one) => sum + one, 0) / numbers.length : 0);

/**
 * Cells of a column, among the first rows, that are not empty.
 * @param {unknown[][]} rows
 * @param {number} place
 */
const cellsOf = (rows, place) =>
  rows.slice(0, LOOKED_AT).map((row) => written(row[place]).slice(0, LONGEST)).filter((cell) => cell.trim());

/**
 * How likely a column is to have the text that is asked about.
 * @param {string} name
 * @param {string[]} cells
 */
function likelihood(name, cells) {
  const chinese = mean(cells.map((cell) => cell.match(CHINESE)?.length ?? 0));
  const length = mean(cells.map((cell) => cell.length));
  const different = new Set(cells).size / cells.length;
  const repeats = cells.length >= 10 && different < 0.3 ? 60 : 0; // a choice among few, or one polite answer
  const named = claimOf(name);
  if (!cells.length || cells.every((cell) => NUMBER.test(cell))) return named - 1000;
  return named - repeats + Math.min(chinese, 50) + Math.min(length, 100) / 100;
}

/**
 * Places of the `count` columns that most probably have the texts, in their order.
 * @param {{ columns: string[], rows: unknown[][] }} table
 * @param {number} count
 */
export function guessColumns({ columns, rows }, count) {
  const measured = columns.map((name, place) => ({ place, likely: likelihood(name, cellsOf(rows, place)) }));
  const best = measured.sort((one, other) => other.likely - one.likely || one.place - other.place).slice(0, count);
  return best.map(({ place }) => place).sort((one, other) => one - other);
}

/**
 * The day of a cell as `2026-01-02`, the month alone as `2026-01`; "" where it has none.
 * @param {unknown} cell
 */
export function dayOf(cell) {
  const found = DAY.exec(written(cell).trim());
  if (!found) return "";
  const [year, month, day] = found[1] ? [found[1], found[2], found[3]] : [found[4], found[5], found[6]];
  if (Number(year) < 1900 || Number(year) > 2200 || Number(month) < 1 || Number(month) > 12 || Number(day ?? 1) > 31) return "";
  return [year, month.padStart(2, "0"), ...(day ? [day.padStart(2, "0")] : [])].join("-");
}

/**
 * The column with dates, -1 where there is none.
 * @param {{ columns: string[], rows: unknown[][] }} table
 */
export function guessDates({ columns, rows }) {
  return columns.findIndex((_, place) => {
    const cells = cellsOf(rows, place);
    return cells.length > 1 && cells.filter((cell) => dayOf(cell)).length >= 0.8 * cells.length;
  });
}

/** @param {unknown} value */
function kindOf(value) {
  if (typeof value === "boolean") return "bool";
  if (Array.isArray(value)) return "list";
  if (typeof value === "number" || JSON.isRawJSON?.(value)) return /[.eE]/.test(written(value)) ? "float" : "int";
  return "dict";
}

/**
 * Why a cell cannot be scored, by the name of the reason in the texts, and its values; null where it can.
 * @param {string} name
 * @param {unknown} value
 * @param {boolean} damaged
 * @returns {import("./table.js").Reason | null}
 */
export function faultOf(name, value, damaged) {
  if (typeof value !== "string") return { kind: "no_text", name, type: kindOf(value) };
  return (damaged && value.includes("\ufffd")) || !value.isWellFormed() ? { kind: "damaged", name } : null;
}
