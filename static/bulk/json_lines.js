// @ts-check
// JSON lines: an object a line. structbert_lite/tables/json_lines.py reads files alike.
import { breathe } from "./breathe.js";

const BETWEEN_PAUSES = 10_000; // lines

/**
 * A reviver with which a number keeps its digits: JavaScript would round the 19 of an order's id. Older browsers do.
 * @type {any}
 */
export const exact = (/** @type {string} */ _, /** @type {unknown} */ value, /** @type {{ source?: string }} */ context) =>
  typeof value === "number" && JSON.rawJSON && context?.source ? JSON.rawJSON(context.source) : value;

/** @param {string} line */
function parse(line) {
  const value = JSON.parse(line, exact);
  return value !== null && typeof value === "object" && !Array.isArray(value) && !JSON.isRawJSON?.(value) ? value : null;
}

/**
 * Calls `take(object, null)`, or `take({}, fault)` for a line that is none; empty lines are no rows.
 * @param {string} text
 * @param {(object: Record<string, unknown>, fault: import("./table.js").Reason | null) => void} take
 */
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
        take(row ?? {}, row ? null : { kind: "no_object", line: number });
      } catch (error) {
        take({}, { kind: "no_json", line: number, detail: /** @type {Error} */ (error).message });
      }
    }
    if (number % BETWEEN_PAUSES === 0) await breathe();
  }
}
