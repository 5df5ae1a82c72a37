// @ts-check
// Several texts in one field. structbert_lite/web/pages.py does the same, and says why.
const kept = (/** @type {string[]} */ parts) => parts.map((part) => part.trim()).filter(Boolean);
const quotes = (/** @type {string} */ line) => line.split('"').length - 1;

export const splitLines = (/** @type {string} */ text) => kept(text.split("\n"));

/**
 * Where a cell ends that begins in the line `start`.
 * @param {string[]} lines
 * @param {number} start
 */
function cellEnd(lines, start) {
  if (!lines[start].startsWith('"') || quotes(lines[start]) % 2 === 0) return start;
  for (let end = start + 1; end < lines.length; end++) {
    if (quotes(lines[end]) % 2 === 1) return lines[end].trimEnd().endsWith('"') ? end : start;
  }
  return start;
}

/**
 * The cells of a pasted column, one a line, blank ones too; one with line ends itself stands between quotes.
 * @param {string} text
 */
export function splitCells(text) {
  const lines = text.split("\n");
  const cells = [];
  for (let start = 0; start < lines.length; ) {
    const end = cellEnd(lines, start);
    const cell = lines.slice(start, end + 1).join("\n");
    cells.push((end > start ? cell.slice(1).trimEnd().slice(0, -1).replaceAll('""', '"') : cell).trim());
    start = end + 1;
  }
  return cells;
}

/** The cells that are not blank, {number, text}, with their places in the column, from 1. */
export const numberCells = (/** @type {string} */ text) =>
  splitCells(text).map((cell, i) => ({ number: i + 1, text: cell })).filter((cell) => cell.text);

/**
 * Passages {number, text}: cells, or blocks with blank lines between them.
 * @param {string} text
 * @param {boolean} blocks
 */
export const numberPassages = (text, blocks) =>
  blocks ? kept(text.trim().split(/\n\s*\n/)).map((block, i) => ({ number: i + 1, text: block })) : numberCells(text);

/** Labels with commas, tabs or line ends between them, each once. */
export const LABEL_ENDS = /[,，、;；\t\n]/;
export const splitLabels = (/** @type {string} */ text) => [...new Set(kept(text.split(LABEL_ENDS)))];
