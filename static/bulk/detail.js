// @ts-check
// One row: its whole text with the words that decided, what the model says, and what somebody says instead.
import { ask, Fault } from "../api.js";
import { byId, filled, percent, texts } from "../page.js";
import { fillBar, fillRows } from "../rows.js";
import { written } from "./cell.js";
import { changed, groupName, reasonText, shownRows, textOf } from "./rows_table.js";

const dialog = byId("detail");
/** @type {import("./work.js").Work} */
let work;
let row = -1;
/** @type {AbortController | null} */
let asking = null;
const { explain } = JSON.parse(byId("job").dataset.more);

/**
 * A text with marks on the words that decided.
 * @param {string} text
 * @param {{ text: string, start: number, end: number, weight: number }[]} words offsets in characters
 */
export function marked(text, words) {
  const characters = [...text];
  const most = Math.max(...words.map(({ weight }) => Math.abs(weight)), Number.MIN_VALUE);
  /** @type {(string | HTMLElement)[]} */
  const parts = [];
  let at = 0;
  for (const { start, end, weight } of [...words].sort((one, other) => one.start - other.start)) {
    const strength = Math.round((3 * Math.abs(weight)) / most);
    if (strength < (weight > 0 ? 1 : 2) || start < at) continue; // what speaks against it is told where it is strong
    parts.push(characters.slice(at, start).join(""));
    const mark = document.createElement("mark");
    mark.dataset.strength = String(strength);
    mark.dataset.side = weight > 0 ? "for" : "against";
    mark.textContent = characters.slice(start, end).join("");
    parts.push(mark);
    at = end;
  }
  parts.push(characters.slice(at).join(""));
  return parts;
}

async function explainRow() {
  const text = written(work.table.rows[row][work.job.asked.places[0]]);
  const where = dialog.querySelector(".why");
  where.textContent = texts.explaining;
  asking?.abort();
  const mine = asking = new AbortController();
  try {
    const { answer } = await ask({ text, model: work.job.asked.options.model }, mine.signal, new URL(explain, location.href));
    if (mine.signal.aborted) return;
    dialog.querySelector(".text").replaceChildren(...marked(text, answer.words));
    where.textContent = filled(answer.words.length ? texts.explained : texts.no_words, { label: groupName(answer.label) });
  } catch (fault) {
    if (mine.signal.aborted) return;
    where.textContent = fault instanceof Fault ? (texts.errors[fault.kind] ?? texts.errors.other) : "";
  }
}

/** @param {string} label */
function correct(label) {
  work.results.correct(row, label);
  work.keep("correction", row, label);
  work.flush();
  changed();
  document.dispatchEvent(new Event("corrected"));
}

function fillLabels() {
  const { task, options } = work.job.asked;
  const answer = work.results.answer(row);
  const box = byId("labels-given");
  box.hidden = !answer || task === "similarity";
  if (box.hidden) return;
  const labels = task === "sentiment" && options.neutral !== undefined && !options.labels.includes("Neutral") ? [...options.labels, "Neutral"] : options.labels;
  const chosen = work.results.corrections.get(row) ?? "";
  const choices = [["", filled(texts.as_model, { label: groupName(work.results.task.label(answer), task) })], ...labels.map((one) => [one, groupName(one, task)])];
  box.querySelector("div").replaceChildren(...choices.map(([value, name]) => {
    const label = document.createElement("label");
    label.className = "check";
    const input = Object.assign(document.createElement("input"), { type: "radio", name: "given", value, checked: value === chosen });
    input.addEventListener("change", () => correct(value));
    label.append(input, name);
    return label;
  }));
}

function fill() {
  const { table, job: { asked }, results } = work;
  const group = results.group(row);
  byId("detail-title").textContent = filled(texts.row_title, { number: row + 1 });
  dialog.querySelector(".text").textContent = textOf(work, row);
  dialog.querySelector(".why").textContent = "";
  const outcome = results.outcome(row);
  const verdict = dialog.querySelector(".verdict");
  const answer = results.answer(row);
  verdict.dataset.label = answer && asked.task === "zero-shot" ? "own" : group;
  verdict.querySelector("strong").textContent = groupName(group, asked.task);
  verdict.querySelector("b").textContent = answer ? percent(results.task.scoreOf(answer)) : "";
  dialog.querySelector(".reason").textContent = outcome && "reason" in outcome ? reasonText(outcome.reason) : answer?.truncated ? texts.row_truncated : "";
  /** @type {[string, number][]} */
  const scores = !answer ? [] : asked.task === "sentiment" ? Object.entries(answer.probabilities)
    : asked.task === "zero-shot" ? answer.labels.map((/** @type {string} */ label, /** @type {number} */ i) => [label, answer.scores[i]]) : [];
  const bars = dialog.querySelector(".bars");
  bars.hidden = scores.length === 0;
  if (scores.length) fillRows(bars, scores, (line, [label, value]) =>
    fillBar(line, asked.task === "sentiment" ? label : "own", groupName(label, asked.task), value));
  const aspects = results.aspects.get(row) ?? [];
  byId("row-aspects").hidden = aspects.length === 0;
  byId("row-aspects").textContent = aspects.map(({ aspect, polarity }) => `${aspect}${texts.colon}${texts.polarities[polarity] ?? polarity}`).join(texts.comma);
  byId("row-cells").replaceChildren(...table.columns.flatMap((name, place) => {
    const value = written(table.rows[row][place]);
    if (!value || asked.places.includes(place)) return [];
    const pair = document.createElement("div");
    pair.append(Object.assign(document.createElement("dt"), { textContent: name }), Object.assign(document.createElement("dd"), { textContent: value }));
    return [pair];
  }));
  fillLabels();
  const shown = shownRows();
  const place = shown.indexOf(row);
  byId("row-before").disabled = place <= 0;
  byId("row-after").disabled = place < 0 || place === shown.length - 1;
  if (explain && answer && asked.task === "sentiment") explainRow();
}

/**
 * @param {import("./work.js").Work} of
 * @param {number} number of the row
 */
export function openDetail(of, number) {
  work = of;
  row = number;
  fill();
  if (!dialog.open) dialog.showModal();
}

/** @param {number} by */
function step(by) {
  const shown = shownRows();
  const next = shown[shown.indexOf(row) + by];
  if (next === undefined) return;
  row = next;
  fill();
}

byId("row-before").addEventListener("click", () => step(-1));
byId("row-after").addEventListener("click", () => step(1));
dialog.addEventListener("close", () => asking?.abort());
