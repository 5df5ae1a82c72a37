// @ts-check
// Which rows are shown, in which order.

/**
 * @typedef {object} Wish
 * @property {string} search text that a row has to hold, in any of its cells
 * @property {string} group "" is any
 * @property {string} aspect "" is any
 * @property {string} polarity of that aspect; "" is any
 * @property {number} least score, 0 to 1
 * @property {number} most
 * @property {Set<number> | null} only these rows; null is any
 * @property {"row" | "text" | "label" | "score"} sort
 * @property {boolean} descending
 */

/** @type {Wish} */
export const ALL = { search: "", group: "", aspect: "", polarity: "", least: 0, most: 1, only: null, sort: "row", descending: false };

/**
 * Numbers of the rows that are done and wished for. A row without a score is left out where scores are asked for, and comes last where
 * they are sorted by.
 * @param {import("./results.js").Results} results
 * @param {(row: number) => string[]} cellsOf texts of a row
 * @param {(row: number) => string} textOf the one that was asked about
 * @param {Wish} wish
 */
export function rowsFor(results, cellsOf, textOf, { search, group, aspect, polarity, least, most, only, sort, descending }) {
  const wanted = search.trim().toLowerCase();
  const scored = least > 0 || most < 1;
  const scoreOf = (/** @type {number} */ row) => {
    const answer = results.answer(row);
    return answer ? results.task.scoreOf(answer) : null;
  };
  const rows = [];
  for (let row = 0; row < results.total; row += 1) {
    if (!results.isDone(row) || (only && !only.has(row))) continue;
    if (group && results.group(row) !== group) continue;
    if (aspect && !results.aspects.get(row)?.some((one) => one.aspect === aspect && (!polarity || one.polarity === polarity))) continue;
    if (scored) {
      const score = scoreOf(row);
      if (score === null || score < least || score > most) continue;
    }
    if (wanted && !cellsOf(row).some((cell) => cell.toLowerCase().includes(wanted))) continue;
    rows.push(row);
  }
  const sign = descending ? -1 : 1;
  if (sort === "score") {
    rows.sort((one, other) => {
      const [first, second] = [scoreOf(one), scoreOf(other)];
      if (first === null || second === null) return Number(first === null) - Number(second === null);
      return sign * (first - second);
    });
  } else if (sort === "row") {
    if (descending) rows.reverse();
  } else {
    const keyOf = sort === "label" ? (/** @type {number} */ row) => results.group(row) : textOf;
    const collator = new Intl.Collator("zh");
    const keys = new Map(rows.map((row) => [row, keyOf(row)]));
    rows.sort((one, other) => sign * collator.compare(keys.get(one) ?? "", keys.get(other) ?? ""));
  }
  return rows;
}
