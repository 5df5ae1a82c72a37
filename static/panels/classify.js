import { byId, filled, percent, texts } from "../page.js";
import { startPanel } from "../panel.js";
import { fillBar, fillRows, fillVerdict } from "../rows.js";
import { splitLabels } from "../split.js";
import { startTokens } from "../tokens.js";
import { fittingLabels } from "../verdicts.js";

startTokens(byId("labels"));

/** [tone, title, what, share] of an answer. The template does the same. */
function inWords({ scores, none }, fit, apart) {
  if (!fit.length) return ["Neutral", texts.none_fits, texts.none_share, none];
  if (fit.length === 1) return ["own", fit[0], texts.score, scores[0]];
  const all = fit.join(texts.comma);
  return apart ? ["own", all, texts.several_fit] : ["Neutral", texts.unsure, filled(texts.close, { labels: all })];
}

const isApart = ({ labels }, { multi_label }) => Boolean(multi_label) || labels.length === 1;

startPanel({
  body: ({ text, labels, multi_label, hypothesis_template }) => ({
    text,
    labels: splitLabels(labels),
    multi_label: Boolean(multi_label), // an example says "on"
    hypothesis_template: hypothesis_template.trim() || "{}",
    none: true,
  }),
  fill(card, answer, values) {
    const { labels, scores, none, truncated } = answer;
    const apart = isApart(answer, values);
    const fit = fittingLabels(answer, apart);
    fillVerdict(card, ...inWords(answer, fit, apart));
    card.querySelector(".answer").classList.toggle("calm", fit.length === 0 || (fit.length > 1 && !apart));
    fillRows(card.querySelector(".bars"), labels, (row, label, i) => fillBar(row, fit.includes(label) ? "own" : "rest", label, scores[i]));
    card.querySelector(".neutral").hidden = fit.length === 0 || apart;
    card.querySelector(".neutral span").textContent = percent(none);
    card.querySelector(".truncated").hidden = !truncated;
  },
  entry(answer, values) {
    const apart = isApart(answer, values);
    const [tone, title, , share] = inWords(answer, fittingLabels(answer, apart), apart);
    return { title: values.text, tag: share === undefined ? title : `${title} ${percent(share)}`, tone };
  },
});
