import { filled, percent, texts } from "../page.js";
import { startPanel } from "../panel.js";
import { fillRanked, fillRows } from "../rows.js";
import { splitPassages } from "../split.js";

const moved = (old, now) =>
  filled(old === now ? texts.stayed : now < old ? texts.rose : texts.fell, { old, new: now });

startPanel({
  body: ({ query, documents }) => ({ query, documents: splitPassages(documents) }),
  fill(card, { results }, { documents }) {
    const passages = splitPassages(documents);
    fillRows(card.querySelector(".ranking"), results, (row, one, i) =>
      fillRanked(row, "own", passages[one.index], one.relevance_score, moved(one.index + 1, i + 1)));
    card.querySelector(".truncated").hidden = !results.some((one) => one.truncated);
  },
  entry: ({ results }, { query }) => ({ title: query, tag: percent(results[0].relevance_score), tone: "own" }),
});
