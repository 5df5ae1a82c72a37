import { filled, percent, texts } from "../page.js";
import { startPanel } from "../panel.js";
import { fillRanked, fillRows, fillVerdict } from "../rows.js";
import { splitLines } from "../split.js";

/** One pair is answered as itself, several as an array. */
const sorted = (answer) => [answer].flat().sort((one, other) => other.score - one.score);

function fillGauge(gauge, { score, level }) {
  const needle = gauge.querySelector(".needle");
  needle.setAttribute("cx", percent(score));
  needle.dataset.label = level;
  const [low, high] = gauge.querySelectorAll("text");
  gauge.ariaLabel = filled(texts.gauge, {
    score: percent(score), level: texts.levels[level], low: low.textContent, high: high.textContent,
  });
}

startPanel({
  body({ text_a, text_b }) {
    const others = splitLines(text_b);
    return others.length > 1 ? { pairs: others.map((other) => [text_a, other]) } : { text_a, text_b: others[0] ?? "" };
  },
  fill(card, answer) {
    const results = sorted(answer);
    const single = results.length === 1;
    card.querySelector(".single").hidden = !single;
    card.querySelector(".ranking").hidden = single;
    fillVerdict(card, results[0].level, texts.levels[results[0].level], results[0].score);
    fillGauge(card.querySelector(".gauge"), results[0]);
    fillRows(card.querySelector(".ranking"), results, (row, one) =>
      fillRanked(row, one.level, one.text_b, one.score, texts.levels[one.level]));
    card.querySelector(".truncated").hidden = !results.some((one) => one.truncated);
  },
  entry(answer, { text_a }) {
    const [best] = sorted(answer);
    return { title: `${text_a} ↔ ${best.text_b}`, tag: `${texts.levels[best.level]} ${percent(best.score)}`, tone: best.level };
  },
  fieldOf: (path) => (path.startsWith("pairs") ? (path.endsWith("[0]") ? "text_a" : "text_b") : path),
});
