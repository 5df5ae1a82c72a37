// JSON lines: an object a line. structbert_lite/tables/json_lines.py reads files alike.
import { breathe } from "./breathe.js";

const BETWEEN_PAUSES = 10_000; // lines

/** A number keeps its digits: JavaScript would round the 19 of an order's id. Older browsers do. */
const exact = (_, value, context) =>
  typeof value === "number" && JSON.rawJSON && context?.source ? JSON.rawJSON(context.source) : value;

function parse(line) {
  const value = JSON.parse(line, exact);
  return value !== null && typeof value === "object" && !Array.isArray(value) && !JSON.isRawJSON?.(value) ? value : null;
}

/** Calls `take(object, "")`, or `take({}, fault)` for a line that is none; empty lines are no rows. */
export async function readJsonLines(text, take) {
  let number = 0;
  for (let at = 0; at < text.length; ) {
    const end = text.indexOf("\n", at);
    const line = text.slice(at, end < 0 ? text.length : end);
    at = end < 0 ? text.length : end + 1;
    number += 1;
    if (line.trim()) {
      try {
        const row = parse(line);
        take(row ?? {}, row ? "" : `line ${number} is not a JSON object`);
      } catch (error) {
        take({}, `line ${number} is not JSON: ${error.message}`);
      }
    }
    if (number % BETWEEN_PAUSES === 0) await breathe();
  }
}
