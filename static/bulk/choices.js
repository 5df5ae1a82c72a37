// @ts-check
// What is to be done with a table: the task, its columns, its options.
import { Fault } from "../api.js";
import { keepModel } from "../models.js";
import { byId, filled, limits, texts } from "../page.js";
import { splitLabels } from "../split.js";
import { startTokens } from "../tokens.js";
import { guessColumns } from "./column.js";
import { TASKS } from "./tasks.js";

/** @typedef {{ columns: string[], rows: unknown[][] }} Table */

export const job = byId("job");
const field = job.elements;
const served = JSON.parse(job.dataset.tasks);
const columns = [field.column, field.column_b];
/** @type {(string | null)[]} names that somebody chose; a guess may change, they do not */
const picked = [null, null];
/** @type {Table | null} */
let table = null;

/** The models of the task, where there are several; nothing stands for the default one. */
function showModels() {
  const { models = [], chosen: kept = "" } = served[field.task.value];
  byId("models").hidden = models.length === 0;
  field.model.replaceChildren(...models.map((/** @type {{ name: string }} */ { name }, /** @type {number} */ i) => (
    i === 0 ? new Option(filled(texts.default_model, { name }), "") : new Option(name, name))));
  field.model.value = kept;
}

/** The fields of the task, with the columns that it probably reads. */
function show() {
  const task = field.task.value;
  for (const part of job.querySelectorAll("[data-task]")) part.hidden = part.dataset.task !== task;
  if (!table) return;
  const { columns: names } = table;
  const guessed = guessColumns(table, TASKS[task].reads);
  // Of two the one that was not chosen is another than the one that was.
  const kept = picked.map((name) => (name === null ? -1 : names.indexOf(name)));
  const free = guessed.filter((place) => !kept.includes(place));
  columns.forEach((select, i) => {
    select.value = String(kept[i] >= 0 ? kept[i] : (free.shift() ?? guessed[0]));
  });
}

/**
 * Offers the columns of a table; those that were chosen by name stay chosen where it has them.
 * @param {Table} given
 */
export function offer(given) {
  table = given;
  for (const select of columns) select.replaceChildren(...given.columns.map((name, place) => new Option(name, String(place))));
  show();
}

/** Forgets what was chosen for another file. */
export const forget = () => picked.fill(null);

/**
 * @param {string[]} labels
 * @param {string} template
 */
function check(labels, template) {
  if (!labels.length) throw new Fault("no_labels", "", "labels-new");
  if (labels.length > limits.items) throw new Fault("payload_too_large", "", "labels-new");
  if (!template.includes("{}")) throw new Fault("no_place", "", "hypothesis_template");
}

/**
 * What was chosen. Throws a Fault whose field is the id of one.
 * @returns {import("./scoring.js").Asked}
 */
export function chosen() {
  const task = field.task.value;
  const { api, models = [], ...usual } = served[task];
  const { labels, neutral, name } = models.find((/** @type {{ name: string }} */ one) => one.name === field.model.value) ?? usual;
  const model = name ? { model: name } : {};
  const places = columns.slice(0, TASKS[task].reads).map((select) => Number(select.value));
  if (task !== "zero-shot") return { task, api, places, options: { labels, neutral, ...model } };
  const options = {
    labels: splitLabels(field.labels.value),
    multi_label: field.multi_label.checked,
    hypothesis_template: field.hypothesis_template.value.trim() || "{}",
    ...model,
  };
  check(options.labels, options.hypothesis_template);
  return { task, api, places, options };
}

startTokens(field.labels);
field.task.addEventListener("change", () => {
  showModels();
  show();
});
field.model.addEventListener("change", () => {
  served[field.task.value].chosen = field.model.value;
  keepModel(field.task.value, field.model.value);
});
columns.forEach((select, i) => select.addEventListener("change", () => {
  picked[i] = table?.columns[select.value] ?? null;
}));
showModels();
show();
