// @ts-check
import { count } from "../fields.js";
import { filled, form, partOf, percent, texts } from "../page.js";
import { startPanel } from "../panel.js";
import { fillRanked, fillRows } from "../rows.js";
import { numberPassages, splitCells } from "../split.js";

/** @typedef {{ index: number, relevance_score: number, truncated: boolean }} Ranked */
/** @typedef {{ results: Ranked[] }} Answer */
/** @typedef {{ query: string, documents: string, blocks: boolean }} Asked */

const passagesOf = (/** @type {Asked} */ { documents, blocks }) => numberPassages(documents, blocks);

/**
 * @param {number} index
 * @param {number} place
 * @param {number} number of its row in the field
 */
function moved(index, place, number) {
  return filled(index === place ? texts.stayed : place < index ? texts.rose : texts.fell, { old: number });
}

const recount = count("documents", (text) => {
  const blocks = form.elements.blocks.checked;
  return blocks ? numberPassages(text, true).map((passage) => passage.text) : splitCells(text.trimEnd());
});
form.elements.blocks.addEventListener("change", recount);

/** @type {import("../panel.js").Panel<Answer, Asked>} */
const panel = {
  body: (values) => ({ query: values.query, documents: passagesOf(values).map((passage) => passage.text) }),
  fill(card, { results }, values) {
    const passages = passagesOf(values);
    fillRows(partOf(card, ".ranking"), results, (row, one, place) => {
      const { number, text } = passages[one.index];
      fillRanked(row, "own", text, one.relevance_score, moved(one.index, place, number));
    });
    partOf(card, ".truncated").hidden = !results.some((one) => one.truncated);
  },
  entry: ({ results }, { query }) => ({ title: query, tag: percent(results[0].relevance_score), tone: "own" }),
};
startPanel(panel);
