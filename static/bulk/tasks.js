// @ts-check
// What each task asks of the server and makes of its answers. Columns are those of structbert_lite/bulk/scorer.py.

/** @typedef {{ labels: string[], model?: string, neutral?: boolean, multi_label?: boolean, hypothesis_template?: string }} Options */
/** @typedef {any} Answer of the server, of one row, without its text */
/**
 * @typedef {object} Words of the page's language
 * @property {Record<string, string>} columns
 * @property {Record<string, string>} groups
 * @property {Record<string, string>} answers
 */
/**
 * @typedef {object} Task
 * @property {number} reads columns
 * @property {(options: Options) => number} inputs what one row counts against the server's limit
 * @property {(rows: string[][], options: Options) => object} body
 * @property {(options: Options) => string[]} groups what rows are counted by
 * @property {(answer: Answer) => string} group the one that an answer belongs to
 * @property {(answer: Answer) => string} label
 * @property {(answer: Answer) => number} scoreOf
 * @property {(options: Options, words: Words) => string[]} columns
 * @property {(answer: Answer, options: Options, words: Words) => (string | number)[]} cells in the order of `columns`
 */

/**
 * A score as Python writes it, so that a file is the same from the page and from the command line.
 * @param {number} value
 */
export function decimal(value) {
  if (Number.isInteger(value)) return value.toFixed(1);
  return Math.abs(value) < 1e-4 ? value.toExponential().replace(/e-(\d)$/, "e-0$1") : String(value);
}

const texts = (/** @type {string[][]} */ rows) => rows.map(([text]) => text);
/**
 * A label of the server's in the page's language.
 * @param {string} label
 * @param {Words} words
 */
export const named = (label, words) => (Object.hasOwn(words.groups, label) ? words.groups[label] : label);
const columnOf = (/** @type {string} */ text, /** @type {string} */ label) => text.replace("{label}", label);

/**
 * Of a sentiment model that knows Neutral there is an option `neutral`, whether it may be the label; what is uncertain is then counted by
 * itself.
 * @type {Record<string, Task>}
 */
export const TASKS = {
  sentiment: {
    reads: 1,
    inputs: () => 1,
    body: (rows, { neutral, model }) => ({ texts: texts(rows), neutral, model }),
    columns: ({ labels, neutral }, words) => [
      words.columns.label, words.columns.score, ...labels.map((label) => columnOf(words.columns.probability, named(label, words))),
      ...(neutral === undefined ? [] : [words.columns.neutral, words.columns.uncertain]),
    ],
    cells({ label, score, probabilities, neutral, uncertain }, { labels, neutral: known }, words) {
      const doubts = known === undefined ? [] : [neutral, words.answers[String(uncertain)]];
      return [named(label, words), score, ...labels.map((one) => probabilities[one]), ...doubts];
    },
    groups: ({ labels, neutral }) => (neutral === undefined ? labels : [...labels, "uncertain"]),
    group: ({ label, uncertain }) => (uncertain && label !== "Neutral" ? "uncertain" : label),
    label: ({ label }) => label,
    scoreOf: ({ score }) => score,
  },
  "zero-shot": {
    reads: 1,
    inputs: ({ labels }) => labels.length,
    body: (rows, { labels, multi_label, hypothesis_template, model }) => ({ texts: texts(rows), labels, multi_label, hypothesis_template, model }),
    columns: ({ labels }, words) => [words.columns.label, words.columns.score, ...labels.map((label) => columnOf(words.columns.label_score, label))],
    cells(answer, { labels }) {
      const scores = new Map(answer.labels.map((/** @type {string} */ label, /** @type {number} */ i) => [label, answer.scores[i]]));
      return [answer.labels[0], answer.scores[0], ...labels.map((label) => scores.get(label))];
    },
    groups: ({ labels }) => labels,
    group: ({ labels }) => labels[0],
    label: ({ labels }) => labels[0],
    scoreOf: ({ scores }) => scores[0],
  },
  similarity: {
    reads: 2,
    inputs: () => 1,
    body: (rows, { model }) => ({ pairs: rows, model }),
    columns: (_, words) => [words.columns.score, words.columns.level],
    cells: ({ score, level }, _, words) => [score, words.answers[level]],
    groups: () => ["high", "medium", "low"],
    group: ({ level }) => level,
    label: ({ level }) => level,
    scoreOf: ({ score }) => score,
  },
};
