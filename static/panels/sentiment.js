import { percent, texts } from "../page.js";
import { startPanel } from "../panel.js";
import { fillBar, fillRows, fillVerdict } from "../rows.js";

const MOST = 8; // labels shown, the best ones of more; the template does the same

const named = (label) => (Object.hasOwn(texts.labels, label) ? texts.labels[label] : label);

function shown(probabilities) {
  const all = Object.entries(probabilities);
  return all.length <= MOST ? all : all.sort((a, b) => b[1] - a[1]).slice(0, MOST);
}

startPanel({
  body: ({ text }) => ({ text }),
  fill(card, answer) {
    fillVerdict(card, answer.label, named(answer.label), answer.score);
    fillRows(card.querySelector(".bars"), shown(answer.probabilities), (row, [label, value]) =>
      fillBar(row, label, named(label), value));
    card.querySelector(".truncated").hidden = !answer.truncated;
  },
  entry: (answer, { text }) => ({ title: text, tag: `${named(answer.label)} ${percent(answer.score)}`, tone: answer.label }),
});
