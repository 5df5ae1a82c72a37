// Which column has the text, and why a cell of it cannot be sent.
import { written } from "./table.js";

const LOOKED_AT = 200; // rows
const LONGEST = 1000; // characters of a cell
const CHINESE = /\p{Script=Han}/gu;

const mean = (numbers) => numbers.reduce((sum, one) => sum + one, 0) / numbers.length;

/** The columns with the longest Chinese text, at the mean, in their order; the longest text where there is no Chinese. */
export function guessColumns({ columns, rows }, count) {
  const some = rows.slice(0, LOOKED_AT);
  const measured = columns.map((_, place) => {
    const texts = some.map((row) => written(row[place]).slice(0, LONGEST));
    return { place, chinese: mean(texts.map((text) => text.match(CHINESE)?.length ?? 0)), length: mean(texts.map((text) => text.length)) };
  });
  const best = measured.sort((one, other) => other.chinese - one.chinese || other.length - one.length).slice(0, count);
  return best.map(({ place }) => place).sort((one, other) => one - other);
}

function kindOf(value) {
  if (typeof value === "boolean") return "bool";
  if (Array.isArray(value)) return "list";
  if (typeof value === "number" || JSON.isRawJSON?.(value)) return /[.eE]/.test(written(value)) ? "float" : "int";
  return "dict";
}

/** Why a cell cannot be scored, in the words of the command line; "" where it can. */
export function faultOf(name, value, damaged) {
  if (value === undefined || value === null || value === "") return `${name} is empty`;
  if (typeof value !== "string") return `${name} is not text but ${kindOf(value)}`;
  if ((damaged && value.includes("\ufffd")) || !value.isWellFormed()) return `${name} has bytes that are no text in this encoding`;
  // What else nobody can see, the server knows.
  return value.trim() ? "" : `${name} has no readable characters`;
}
