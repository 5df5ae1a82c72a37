// What is to be done with a file: the task, its columns, its options.
import { Fault } from "../api.js";
import { byId, limits } from "../page.js";
import { splitLabels } from "../split.js";
import { startTokens } from "../tokens.js";
import { guessColumns } from "./column.js";
import { TASKS } from "./tasks.js";

export const job = byId("job");
const field = job.elements;
const served = JSON.parse(job.dataset.tasks);
const columns = [field.column, field.column_b];
let table = null;

/** The fields of a task, with the columns that it probably reads; where a table is given, that one's from now on. */
export function offer(given = table) {
  table = given;
  const task = field.task.value;
  for (const part of job.querySelectorAll("[data-task]")) part.hidden = part.dataset.task !== task;
  if (!table) return;
  const guessed = guessColumns(table, TASKS[task].reads);
  columns.forEach((select, i) => {
    select.replaceChildren(...table.columns.map((name, place) => new Option(name, place)));
    select.value = String(guessed[i] ?? guessed[0]);
  });
}

function check(labels, template) {
  if (!labels.length) throw new Fault("no_labels", "", "labels-new");
  if (labels.length > limits.items) throw new Fault("payload_too_large", "", "labels-new");
  if (!template.includes("{}")) throw new Fault("no_place", "", "hypothesis_template");
}

/** {task, api, options, places}: `places` of the columns to read. Throws a Fault whose field is the id of one. */
export function chosen() {
  const task = field.task.value;
  const { api, labels, neutral } = served[task];
  const places = columns.slice(0, TASKS[task].reads).map((select) => Number(select.value));
  if (task !== "zero-shot") return { task, api, places, options: { labels, neutral } };
  const options = {
    labels: splitLabels(field.labels.value),
    multi_label: field.multi_label.checked,
    hypothesis_template: field.hypothesis_template.value.trim() || "{}",
  };
  check(options.labels, options.hypothesis_template);
  return { task, api, places, options };
}

startTokens(field.labels);
field.task.addEventListener("change", () => offer());
