// @ts-check
import { filled, partOf, percent, texts } from "../page.js";
import { startPanel } from "../panel.js";
import { fillRanked, fillRows, fillVerdict } from "../rows.js";
import { numberCells, splitCells } from "../split.js";
import { count } from "../fields.js";

/** @typedef {{ text_a: string, text_b: string, score: number, level: "high" | "medium" | "low", truncated: boolean }} Comparison */
/** @typedef {Comparison | Comparison[]} Answer */
/** @typedef {{ text_a: string, text_b: string }} Asked */

/**
 * Most alike first, each with its place in the column. One pair is answered as itself, several as an array.
 * @param {Answer} answer
 * @param {Asked} asked
 */
function sorted(answer, { text_b }) {
  const cells = numberCells(text_b);
  return [answer].flat().map((one, i) => ({ ...one, number: cells[i].number })).sort((one, other) => other.score - one.score);
}

count("text_b", (text) => splitCells(text.trimEnd()));

/**
 * @param {Element} gauge
 * @param {Comparison} one
 */
function fillGauge(gauge, { score, level }) {
  const needle = partOf(gauge, ".needle", SVGElement);
  needle.setAttribute("cx", percent(score));
  needle.dataset.label = level;
  const [low, high] = gauge.querySelectorAll("text");
  gauge.ariaLabel = filled(texts.gauge, {
    score: percent(score), level: texts.levels[level], low: low.textContent, high: high.textContent,
  });
}

/** @type {import("../panel.js").Panel<Answer, Asked>} */
const panel = {
  body({ text_a, text_b }) {
    const others = numberCells(text_b).map((cell) => cell.text);
    return others.length > 1 ? { pairs: others.map((other) => [text_a, other]) } : { text_a, text_b: others[0] ?? "" };
  },
  fill(card, answer, values) {
    const results = sorted(answer, values);
    const single = results.length === 1;
    partOf(card, ".single").hidden = !single;
    partOf(card, ".ranking").hidden = single;
    fillVerdict(card, results[0].level, texts.levels[results[0].level], texts.score, results[0].score);
    fillGauge(partOf(card, ".gauge", SVGElement), results[0]);
    fillRows(partOf(card, ".ranking"), results, (row, one) =>
      fillRanked(row, one.level, one.text_b, one.score, filled(texts.row, { level: texts.levels[one.level], number: one.number })));
    partOf(card, ".truncated").hidden = !results.some((one) => one.truncated);
  },
  entry(answer, values) {
    const [best] = sorted(answer, values);
    return { title: `${values.text_a} ↔ ${best.text_b}`, tag: `${texts.levels[best.level]} ${percent(best.score)}`, tone: best.level };
  },
  fieldOf: (path) => (path.startsWith("pairs") ? (path.endsWith("[0]") ? "text_a" : "text_b") : path),
};
startPanel(panel);
