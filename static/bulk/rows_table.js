// @ts-check
// The results row by row: searched, filtered, sorted, each with its detail.
import { byId, filled, percent, texts } from "../page.js";
import { whole } from "../status/format.js";
import { written } from "./cell.js";
import { ALL, rowsFor } from "./filter.js";
import { named } from "./tasks.js";
import { VirtualRows } from "./virtual.js";

const HEIGHT = 42; // of a row, as in bulk.css
const LONGEST = 120; // characters of a text in the table
const box = byId("results");
const table = box.querySelector("table");

/** @type {import("./work.js").Work | null} */
let work = null;
/** @type {(row: number) => void} */
let openRow = () => {};
let version = 0;
/** @type {import("./filter.js").Wish} */
let wish = { ...ALL };

const words = { columns: texts.columns, groups: texts.groups, answers: texts.answers };

/** What a row is called by in the page's language. */
export const groupName = (/** @type {string} */ group, task = work?.job.asked.task) =>
  (task === "zero-shot" && !["blank", "default", "error"].includes(group) ? group : named(group, words));

/** The text that was asked about; of two, both. */
export const textOf = (/** @type {import("./work.js").Work} */ of, /** @type {number} */ row) =>
  of.job.asked.places.map((place) => written(of.table.rows[row][place])).join(" / ");

/**
 * What is wrong with a row, in the page's language where it has a sentence for it.
 * @param {import("./table.js").Reason} reason
 */
export function reasonText(reason) {
  const text = texts.reasons[reason.kind];
  return text ? filled(text, reason) : String(reason.detail || reason.kind);
}

/** @param {number} row */
function draw(row) {
  const of = /** @type {import("./work.js").Work} */ (work);
  const line = byId("result-row").content.firstElementChild.cloneNode(true);
  const [number, text, label, score] = line.children;
  const group = of.results.group(row);
  const button = number.firstElementChild;
  button.textContent = String(row + 1);
  button.ariaLabel = filled(texts.open_row, { number: row + 1 });
  text.textContent = textOf(of, row).slice(0, LONGEST);
  const outcome = of.results.outcome(row);
  label.firstElementChild.dataset.label = of.job.asked.task === "zero-shot" && outcome && "answer" in outcome ? "own" : group;
  label.firstElementChild.textContent = groupName(group) + (of.results.corrections.has(row) ? ` ${texts.corrected_mark}` : "");
  const answer = of.results.answer(row);
  score.textContent = answer ? percent(of.results.task.scoreOf(answer)) : "—";
  return line;
}

const rows = new VirtualRows(box.querySelector(".rows"), table.tBodies[0], HEIGHT, draw);

/** Looks anew which rows there are. */
export function refresh() {
  if (!work) return;
  const of = work;
  const found = rowsFor(of.results, (row) => of.table.rows[row].map(written), (row) => textOf(of, row), wish);
  rows.show(found, version);
  table.ariaRowCount = String(found.length + 1);
  const all = of.results.done;
  byId("matches").textContent = filled(found.length === all ? texts.all_rows : texts.some_rows, { count: whole(found.length), all: whole(all) });
  byId("no-matches").hidden = found.length > 0;
  byId("only").hidden = wish.only === null;
}

/** After a correction, or when rows have got aspects. */
export function changed() {
  version += 1;
  fillGroups();
  fillAspects();
  refresh();
}

/** Rows that are shown, in their order. */
export const shownRows = () => rows.rows;

/**
 * @param {HTMLSelectElement} select
 * @param {[string, string][]} options
 */
function fill(select, options) {
  const { value } = select;
  select.replaceChildren(...options.map(([one, name]) => new Option(name, one)));
  select.value = options.some(([one]) => one === value) ? value : "";
}

function fillGroups() {
  if (!work) return;
  const { counts, unsent, errors } = work.results;
  const groups = [...counts.keys(), ...unsent.keys(), ...(errors ? ["error"] : [])];
  fill(byId("filter-group"), [["", texts.any], ...groups.map((one) => /** @type {[string, string]} */ ([one, groupName(one)]))]);
}

function fillAspects() {
  if (!work) return;
  const names = [...new Set([...work.results.aspects.values()].flatMap((all) => all.map(({ aspect }) => aspect)))];
  byId("filter-aspect").parentElement.hidden = byId("filter-polarity").parentElement.hidden = names.length === 0;
  fill(byId("filter-aspect"), [["", texts.any], ...names.map((one) => /** @type {[string, string]} */ ([one, one]))]);
}

/**
 * Shows the rows of a job from now on.
 * @param {import("./work.js").Work} of
 * @param {(row: number) => void} open its detail
 */
export function showRows(of, open) {
  work = of;
  openRow = open;
  byId("filters").reset();
  wish = { ...ALL };
  box.hidden = false;
  byId("filter-score").hidden = false;
  markSorted();
  changed();
}

/**
 * Shows some rows, as somebody asks for them elsewhere on the page.
 * @param {Partial<import("./filter.js").Wish>} wanted
 */
export function showOnly(wanted) {
  byId("filters").reset();
  wish = { ...ALL, sort: wish.sort, descending: wish.descending, ...wanted };
  byId("search").value = wish.search;
  byId("filter-group").value = wish.group;
  byId("filter-aspect").value = wish.aspect;
  byId("filter-polarity").value = wish.polarity;
  refresh();
  box.scrollIntoView({ block: "start" });
  byId("results-title").focus();
}

function markSorted() {
  for (const cell of table.tHead.rows[0].cells) {
    const sorted = cell.dataset.sort === wish.sort;
    cell.ariaSort = sorted ? (wish.descending ? "descending" : "ascending") : "none";
  }
}

byId("filters").addEventListener("submit", (/** @type {Event} */ event) => event.preventDefault());
byId("filters").addEventListener("input", () => {
  const share = (/** @type {string} */ id, /** @type {number} */ other) => (byId(id).value === "" ? other : Number(byId(id).value) / 100);
  wish = {
    ...wish, search: byId("search").value, group: byId("filter-group").value, aspect: byId("filter-aspect").value,
    polarity: byId("filter-polarity").value, least: share("least", 0), most: share("most", 1),
  };
  refresh();
});
byId("show-all").addEventListener("click", () => {
  byId("filters").reset();
  wish = { ...ALL, sort: wish.sort, descending: wish.descending };
  refresh();
});
table.tHead.addEventListener("click", (/** @type {MouseEvent} */ event) => {
  const cell = /** @type {Element} */ (event.target).closest("th");
  const sort = /** @type {any} */ (cell?.dataset.sort);
  if (!sort) return;
  // The least certain are what somebody looks for first, then the first of the rest.
  wish = { ...wish, sort, descending: wish.sort === sort ? !wish.descending : false };
  markSorted();
  refresh();
});
table.tBodies[0].addEventListener("click", (/** @type {MouseEvent} */ event) => {
  const row = /** @type {HTMLElement | null} */ (/** @type {Element} */ (event.target).closest("[data-row]"));
  if (row) openRow(Number(row.dataset.row));
});
