// @ts-check
import { byId, filled, partOf, percent, texts } from "../page.js";
import { startPanel } from "../panel.js";
import { fillBar, fillRows, fillVerdict } from "../rows.js";
import { splitLabels } from "../split.js";
import { startTokens } from "../tokens.js";
import { fittingLabels } from "../verdicts.js";

/** @typedef {{ labels: string[], scores: number[], none: number, truncated: boolean }} Answer */
/** @typedef {{ text: string, labels: string, multi_label: boolean | string, hypothesis_template: string }} Asked an example says "on" */

startTokens(byId("labels"));

/**
 * An answer as the large line says it. The template does the same.
 * @param {Answer} answer
 * @param {string[]} fit
 * @param {boolean} apart
 * @returns {[tone: string, title: string, what: string, share?: number]}
 */
function inWords({ scores, none }, fit, apart) {
  if (!fit.length) return ["Neutral", texts.none_fits, texts.none_share, none];
  if (fit.length === 1) return ["own", fit[0], texts.score, scores[0]];
  const all = fit.join(texts.comma);
  return apart ? ["own", all, texts.several_fit] : ["Neutral", texts.unsure, filled(texts.close, { labels: all })];
}

const isApart = (/** @type {Answer} */ { labels }, /** @type {Asked} */ { multi_label }) => Boolean(multi_label) || labels.length === 1;

/** @type {import("../panel.js").Panel<Answer, Asked>} */
const panel = {
  body: ({ text, labels, multi_label, hypothesis_template }) => ({
    text,
    labels: splitLabels(labels),
    multi_label: Boolean(multi_label),
    hypothesis_template: hypothesis_template.trim() || "{}",
    none: true,
  }),
  fill(card, answer, values) {
    const { labels, scores, none, truncated } = answer;
    const apart = isApart(answer, values);
    const fit = fittingLabels(answer, apart);
    fillVerdict(card, ...inWords(answer, fit, apart));
    partOf(card, ".answer").classList.toggle("calm", fit.length === 0 || (fit.length > 1 && !apart));
    fillRows(partOf(card, ".bars"), labels, (row, label, i) => fillBar(row, fit.includes(label) ? "own" : "rest", label, scores[i]));
    partOf(card, ".neutral").hidden = fit.length === 0 || apart;
    partOf(card, ".neutral span").textContent = percent(none);
    partOf(card, ".truncated").hidden = !truncated;
  },
  entry(answer, values) {
    const apart = isApart(answer, values);
    const [tone, title, , share] = inWords(answer, fittingLabels(answer, apart), apart);
    return { title: values.text, tag: share === undefined ? title : `${title} ${percent(share)}`, tone };
  },
};
startPanel(panel);
