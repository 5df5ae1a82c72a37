import { byId, filled, texts } from "../page.js";
import { startPanel } from "../panel.js";
import { fillBar, fillRows } from "../rows.js";
import { splitLabels } from "../split.js";
import { startTokens } from "../tokens.js";

const TONES = { positive: "Positive", negative: "Negative", mixed: "medium" };
// What is less likely than not has no colour.
const toneOf = ({ polarity, score }) => (score >= 0.5 ? TONES[polarity] : "Neutral");
const inWords = ({ aspect, polarity }) => filled(texts.spoken_of, { aspect, polarity: texts.polarities[polarity] });

startTokens(byId("aspects"));

startPanel({
  body({ text, domain = "", aspects = "" }) {
    const own = splitLabels(aspects);
    return own.length ? { text, aspects: own } : domain ? { text, domain } : { text };
  },
  fill(card, { aspects, truncated }) {
    card.querySelector(".none").hidden = aspects.length > 0;
    const bars = card.querySelector(".bars");
    bars.hidden = aspects.length === 0;
    if (aspects.length) fillRows(bars, aspects, (row, one) => fillBar(row, toneOf(one), inWords(one), one.score));
    card.querySelector(".truncated").hidden = !truncated;
  },
  entry: ({ aspects }, { text }) => ({
    title: text,
    tag: aspects.map(inWords).join(texts.comma) || texts.none_named,
    tone: "own",
  }),
});
