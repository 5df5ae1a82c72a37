// What each task asks of the server and makes of its answers. Columns are those of structbert_lite/bulk/scorer.py.
/** A score as Python writes it, so that a file is the same from the page and from the command line. */
export function decimal(value) {
  if (Number.isInteger(value)) return value.toFixed(1);
  return Math.abs(value) < 1e-4 ? value.toExponential().replace(/e-(\d)$/, "e-0$1") : String(value);
}

const texts = (rows) => rows.map(([text]) => text);

/**
 * `reads`: columns; `inputs`: what one row counts against the server's limit; `groups`: what rows are counted by;
 * `cells` of an answer, in the order of `columns`, and `group`, the one it belongs to. Of a sentiment model that knows Neutral
 * there is an option `neutral`, whether it may be the label; what is uncertain is then counted by itself.
 */
export const TASKS = {
  sentiment: {
    reads: 1,
    inputs: () => 1,
    body: (rows, { neutral }) => ({ texts: texts(rows), neutral }),
    columns: ({ labels, neutral }) => ["label", "score", ...labels.map((label) => `probability_${label}`), ...(neutral === undefined ? [] : ["neutral", "uncertain"])],
    cells({ label, score, probabilities, neutral, uncertain }, { labels, neutral: known }) {
      const doubts = known === undefined ? [] : [decimal(neutral), String(uncertain)];
      return [label, decimal(score), ...labels.map((one) => decimal(probabilities[one])), ...doubts];
    },
    groups: ({ labels, neutral }) => (neutral === undefined ? labels : [...labels, "uncertain"]),
    group: ({ label, uncertain }) => (uncertain && label !== "Neutral" ? "uncertain" : label),
    scoreOf: ({ score }) => score,
  },
  "zero-shot": {
    reads: 1,
    inputs: ({ labels }) => labels.length,
    body: (rows, { labels, multi_label, hypothesis_template }) => ({ texts: texts(rows), labels, multi_label, hypothesis_template }),
    columns: ({ labels }) => ["label", "score", ...labels.map((label) => `score_${label}`)],
    cells(answer, { labels }) {
      const scores = new Map(answer.labels.map((label, i) => [label, answer.scores[i]]));
      return [answer.labels[0], decimal(answer.scores[0]), ...labels.map((label) => decimal(scores.get(label)))];
    },
    groups: ({ labels }) => labels,
    group: ({ labels }) => labels[0],
    scoreOf: ({ scores }) => scores[0],
  },
  similarity: {
    reads: 2,
    inputs: () => 1,
    body: (rows) => ({ pairs: rows }),
    columns: () => ["score", "level"],
    cells: ({ score, level }) => [decimal(score), level],
    groups: () => ["high", "medium", "low"],
    group: ({ level }) => level,
    scoreOf: ({ score }) => score,
  },
};
