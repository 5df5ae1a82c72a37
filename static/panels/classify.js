import { byId, percent } from "../page.js";
import { startPanel } from "../panel.js";
import { fillBar, fillRows, fillVerdict } from "../rows.js";
import { splitLabels } from "../split.js";
import { startTokens } from "../tokens.js";

startTokens(byId("labels"));

startPanel({
  body: ({ text, labels, multi_label, hypothesis_template }) => ({
    text,
    labels: splitLabels(labels),
    multi_label: Boolean(multi_label), // an example says "on"
    hypothesis_template: hypothesis_template.trim() || "{}",
  }),
  fill(card, { labels, scores, truncated }) {
    fillVerdict(card, "own", labels[0], scores[0]);
    fillRows(card.querySelector(".bars"), labels, (row, label, i) => fillBar(row, "own", label, scores[i]));
    card.querySelector(".truncated").hidden = !truncated;
  },
  entry: ({ labels, scores }, { text }) => ({ title: text, tag: `${labels[0]} ${percent(scores[0])}`, tone: "own" }),
});
