import { percent, texts } from "../page.js";
import { startPanel } from "../panel.js";
import { fillBar, fillRows, fillVerdict } from "../rows.js";

const named = (label) => texts.labels[label] ?? label;

startPanel({
  body: ({ text }) => ({ text }),
  fill(card, answer) {
    fillVerdict(card, answer.label, named(answer.label), answer.score);
    fillRows(card.querySelector(".bars"), Object.entries(answer.probabilities), (row, [label, value]) =>
      fillBar(row, label, named(label), value));
    card.querySelector(".truncated").hidden = !answer.truncated;
  },
  entry: (answer, { text }) => ({ title: text, tag: `${named(answer.label)} ${percent(answer.score)}`, tone: answer.label }),
});
