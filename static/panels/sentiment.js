import { filled, percent, texts } from "../page.js";
import { startPanel } from "../panel.js";
import { fillBar, fillRows, fillVerdict } from "../rows.js";

const MOST = 8; // labels shown, the best ones of more; the template does the same

const named = (label) => (Object.hasOwn(texts.labels, label) ? texts.labels[label] : label);

function shown(probabilities) {
  const all = Object.entries(probabilities);
  return all.length <= MOST ? all : all.sort((a, b) => b[1] - a[1]).slice(0, MOST);
}

// What is said of an answer: an opinion, none, or that it is not sure. The template does the same.
function verdictOf({ label, score, neutral, uncertain }) {
  if (neutral !== undefined && (label === "Neutral" || (uncertain && neutral >= 0.5)))
    return { tone: "Neutral", title: texts.no_opinion, what: texts.no_opinion_share, value: neutral };
  if (uncertain) return { tone: "Neutral", title: texts.unsure, what: filled(texts.leaning, { label: named(label) }), value: score };
  return { tone: label, title: named(label), what: texts.confidence, value: score };
}

startPanel({
  body: ({ text }) => ({ text }),
  fill(card, answer) {
    const { tone, title, what, value } = verdictOf(answer);
    fillVerdict(card, tone, title, value);
    card.querySelector(".what").textContent = what;
    card.querySelector(".answer").classList.toggle("calm", answer.neutral !== undefined && tone === "Neutral");
    const neutral = card.querySelector(".neutral");
    neutral.hidden = answer.neutral === undefined || title === texts.no_opinion;
    neutral.querySelector("span").textContent = percent(answer.neutral ?? 0);
    fillRows(card.querySelector(".bars"), shown(answer.probabilities), (row, [label, value]) =>
      fillBar(row, label, named(label), value));
    card.querySelector(".truncated").hidden = !answer.truncated;
  },
  entry(answer, { text }) {
    const { tone, title, value } = verdictOf(answer);
    return { title: text, tag: `${title} ${percent(value)}`, tone };
  },
});
