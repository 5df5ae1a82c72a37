// @ts-check
import { offerExplanation } from "../explain.js";
import { follow } from "../fields.js";
import { byId, endpoint, filled, form, partOf, percent, texts } from "../page.js";
import { startPanel } from "../panel.js";
import { fillBar, fillRanked, fillRows, fillVerdict } from "../rows.js";
import { splitLines } from "../split.js";
import { verdictOf } from "../verdicts.js";

/** @typedef {{ text: string, label: string, score: number, probabilities: Record<string, number>, truncated: boolean, neutral?: number, uncertain?: boolean }} Prediction */
/** @typedef {Prediction | Prediction[]} Answer */
/** @typedef {{ text: string, each?: boolean, model?: string }} Asked */

const MOST = 8; // labels shown, the best ones of more; the template does the same
const LINES = "structbert-lite-lines"; // read by bulk/page.js
const batch = new URL(form.dataset.batch, location.href);

const named = (/** @type {string} */ label) => (Object.hasOwn(texts.labels, label) ? texts.labels[label] : label);

/** @param {Record<string, number>} probabilities */
function shown(probabilities) {
  const all = Object.entries(probabilities);
  return all.length <= MOST ? all : all.sort((a, b) => b[1] - a[1]).slice(0, MOST);
}

/**
 * An answer in words. The template does the same.
 * @param {Prediction} answer
 */
function inWords(answer) {
  const { kind, label, share } = verdictOf(answer);
  if (kind === "none") return { tone: "Neutral", title: texts.no_opinion, what: texts.no_opinion_share, share };
  if (kind === "unsure") return { tone: "Neutral", title: texts.unsure, what: filled(texts.leaning, { label: named(label) }), share };
  return { tone: label, title: named(label), what: texts.confidence, share };
}

/**
 * How many lines have which verdict, in the order in which the template has them.
 * @param {Prediction[]} answers
 */
function groupsOf(answers) {
  const verdicts = answers.map((answer) => ({ ...verdictOf(answer), title: inWords(answer).title }));
  return ["sure", "unsure", "none"].flatMap((kind) => {
    const counts = new Map();
    const same = verdicts.filter((verdict) => verdict.kind === kind).sort((a, b) => (a.label < b.label ? -1 : a.label > b.label ? 1 : 0));
    for (const { title } of same) counts.set(title, (counts.get(title) ?? 0) + 1);
    return [...counts].map(([title, count]) => `${title} ${count}`);
  });
}

/**
 * @param {HTMLElement} card
 * @param {Prediction} answer
 */
function fillSingle(card, answer) {
  const { tone, title, what, share } = inWords(answer);
  fillVerdict(card, tone, title, what, share);
  card.classList.toggle("calm", verdictOf(answer).kind !== "sure");
  const neutral = partOf(card, ".neutral");
  neutral.hidden = answer.neutral === undefined || title === texts.no_opinion;
  partOf(neutral, "span").textContent = percent(answer.neutral ?? 0);
  fillRows(partOf(card, ".bars"), shown(answer.probabilities), (row, [label, value]) =>
    fillBar(row, label, named(label), value));
}

/**
 * @param {HTMLElement} card
 * @param {Prediction[]} answers
 */
function fillSeveral(card, answers) {
  partOf(card, ".groups").replaceChildren(...groupsOf(answers).map((text) => Object.assign(document.createElement("span"), { textContent: text })));
  fillRows(partOf(card, ".ranking"), answers, (row, answer) => {
    const { tone, title, share } = inWords(answer);
    fillRanked(row, tone, answer.text, share, title);
  });
}

/** The lines to be judged one by one; none where the text is one. */
const linesOf = (/** @type {Asked} */ { text, each }) => (each && splitLines(text).length > 1 ? splitLines(text) : []);

const offer = byId("lines");
follow("text", (text) => { offer.hidden = splitLines(text).length < 2; });
offer.querySelector("a").addEventListener("click", () => {
  try {
    sessionStorage.setItem(LINES, form.elements.text.value);
  } catch {
    // Over the storage quota: they have to be pasted again.
  }
});

/** @type {import("../panel.js").Panel<Answer, Asked>} */
const panel = {
  route: (values) => (linesOf(values).length ? batch : endpoint),
  body: (values) => (linesOf(values).length ? { texts: linesOf(values) } : { text: values.text }),
  fill(card, answer, { model }) {
    const answers = [answer].flat();
    const single = partOf(card, ".single");
    const several = partOf(card, ".several");
    single.hidden = answers.length > 1;
    several.hidden = answers.length === 1;
    offerExplanation(single, answers[0].text, answers[0].label, model);
    if (answers.length === 1) fillSingle(single, answers[0]);
    else fillSeveral(several, answers);
    partOf(card, ".truncated").hidden = !answers.some((one) => one.truncated);
  },
  entry(answer, { text }) {
    const answers = [answer].flat();
    if (answers.length > 1) return { title: text, tag: groupsOf(answers).join(" · "), tone: "own" };
    const { tone, title, share } = inWords(answers[0]);
    return { title: text, tag: `${title} ${percent(share)}`, tone };
  },
  fieldOf: (path) => path.replace(/^texts\b.*/, "text"),
};
startPanel(panel);
