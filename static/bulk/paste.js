// @ts-check
// Rows that were pasted: cells of a sheet, or a text a line.
import { readDelimited } from "./delimited.js";
import { findHeader, hasKnownName } from "./header.js";

/**
 * @param {string} text
 * @param {string} name that the rows get, as a file has one
 * @returns {Promise<import("./table.js").Source>}
 */
export async function readPasted(text, name) {
  const file = new File([text], name);
  const lines = text.includes("\t") ? (await readDelimited(text, { tabs: true })).grid : text.split(/\r\n|\n|\r/).map((line) => [line]);
  const grid = lines.filter((cells) => cells.some((cell) => cell.trim()));
  return { name, file, grid, header: grid.length && hasKnownName(grid[0]) ? findHeader(grid) : -1, facts: {} };
}
