// @ts-check
import { byId, filled, partOf, texts } from "../page.js";
import { startPanel } from "../panel.js";
import { fillBar, fillRows } from "../rows.js";
import { splitLabels } from "../split.js";
import { startTokens } from "../tokens.js";

/** @typedef {{ aspect: string, polarity: "positive" | "negative" | "mixed", score: number }} Opinion */
/** @typedef {{ text: string, aspects: Opinion[], truncated: boolean }} Answer */
/** @typedef {{ text: string, domain?: string, aspects?: string }} Asked */

const TONES = { positive: "Positive", negative: "Negative", mixed: "medium" };
// What is less likely than not has no colour.
const toneOf = (/** @type {Opinion} */ { polarity, score }) => (score >= 0.5 ? TONES[polarity] : "Neutral");
const inWords = (/** @type {Opinion} */ { aspect, polarity }) => filled(texts.spoken_of, { aspect, polarity: texts.polarities[polarity] });

startTokens(byId("aspects"));

/** @type {import("../panel.js").Panel<Answer, Asked>} */
const panel = {
  body({ text, domain = "", aspects = "" }) {
    const own = splitLabels(aspects);
    return own.length ? { text, aspects: own } : domain ? { text, domain } : { text };
  },
  fill(card, { aspects, truncated }) {
    partOf(card, ".none").hidden = aspects.length > 0;
    const bars = partOf(card, ".bars");
    bars.hidden = aspects.length === 0;
    if (aspects.length) fillRows(bars, aspects, (row, one) => fillBar(row, toneOf(one), inWords(one), one.score));
    partOf(card, ".truncated").hidden = !truncated;
  },
  entry: ({ aspects }, { text }) => ({
    title: text,
    tag: aspects.map(inWords).join(texts.comma) || texts.none_named,
    tone: "own",
  }),
};
startPanel(panel);
