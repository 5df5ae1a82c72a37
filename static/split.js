// @ts-check
// Several texts in one field. structbert_lite/web/pages.py does the same.
const kept = (/** @type {string[]} */ parts) => parts.map((part) => part.trim()).filter(Boolean);

export const splitLines = (/** @type {string} */ text) => kept(text.split("\n"));

/**
 * Blocks with blank lines between them; one a line where there are no blank lines.
 * @param {string} text
 */
export function splitPassages(text) {
  const blankLine = /\n\s*\n/;
  return blankLine.test(text.trim()) ? kept(text.trim().split(blankLine)) : splitLines(text);
}

/** Labels with commas or line ends between them, each once. */
export const splitLabels = (/** @type {string} */ text) => [...new Set(kept(text.split(/[,，、;；\n]/)))];
