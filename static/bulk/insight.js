// @ts-check
// What a job adds up to: by label, by score, over time, copies; and, when asked for, by aspect and in groups of similar complaints.
import { byId, filled, percent, texts } from "../page.js";
import { fillBar, fillRows } from "../rows.js";
import { splitLabels } from "../split.js";
import { whole } from "../status/format.js";
import { breathe } from "./breathe.js";
import { dayOf, guessDates } from "./column.js";
import { byAspect, byTime, copiesOf } from "./figures.js";
import { askFurther } from "./further.js";
import { complain } from "./notice.js";
import { nameOf } from "./output.js";
import { keepBars, keepLines } from "./picture.js";
import { changed, groupName, showOnly, textOf } from "./rows_table.js";
import { TimeChart } from "./time_chart.js";

const MOST = 12; // groups shown, the largest ones of more
const COPIES = 10; // texts shown that stand there several times
const CLUSTERS = 12;
const EXAMPLES = 3;
const FEW = 20; // negative rows of which there is nothing to group
const CLUSTERED = 2000; // texts at the most: each is compared with every group
const USUAL = 12; // aspects that the server asks about by default
const COLOURS = /** @type {Record<string, string>} */ ({ Positive: "--positive", Negative: "--negative", uncertain: "--middle", Neutral: "--neutral", high: "--positive", medium: "--middle", low: "--neutral" });
const OTHERS = ["--accent", "--negative", "--positive", "--middle", "--neutral"];

const box = byId("insight");
const more = JSON.parse(byId("job").dataset.more);
const chart = new TimeChart(byId("time-chart"));
/** @type {import("./work.js").Work} */
let work;
/** @type {{ words: string[], rows: number[] }[]} */
let clusters = [];
/** @type {AbortController | null} */
let asking = null;
/** @type {import("./time_chart.js").Line[]} */
let lines = [];
let askedAspects = "{}";

const share = (/** @type {number} */ count) => (work.results.scored ? count / work.results.scored : 0);
const toneOf = (/** @type {string} */ group) => (work.job.asked.task === "zero-shot" ? "own" : group);

/** Rows by group and by score; cheap enough for every tick of a job. */
export function fillShares() {
  const { results } = work;
  const [groups, scores] = box.querySelectorAll("#summary .bars");
  box.querySelector("#summary .two").hidden = !results.scored;
  const all = [...results.counts];
  const shown = all.length <= MOST ? all : all.sort((one, other) => other[1] - one[1]).slice(0, MOST);
  fillRows(groups, shown, (row, [group, count]) =>
    fillBar(row, toneOf(group), filled(texts.group, { name: groupName(group), count: whole(count) }), share(count)));
  // The best of two labels has never less than a half.
  const first = Math.max(results.bins.findIndex(Boolean), 0);
  fillRows(scores, results.bins.slice(first), (row, count, i) => {
    const [from, to] = [first + i, first + i + 1].map((tenths) => (tenths / 10).toFixed(1));
    fillBar(row, "own", filled(texts.bin, { from, to, count: whole(count) }), share(count));
  });
  const count = (/** @type {string} */ kind) => results.unsent.get(kind) ?? 0;
  const said = [filled(texts.counts, { scored: whole(results.scored) })];
  if (count("blank")) said.push(filled(texts.blanks, { count: whole(count("blank")) }));
  if (count("default")) said.push(filled(texts.defaults, { count: whole(count("default")) }));
  if (results.errors) said.push(filled(texts.with_errors, { count: whole(results.errors) }));
  if (results.truncated) said.push(filled(texts.too_long, { count: whole(results.truncated) }));
  box.querySelector(".counts").textContent = said.join("");
}

function fillTime() {
  const place = Number(byId("date-column").value);
  const { table, results } = work;
  const rows = place < 0 ? [] : table.rows.map((cells, row) => ({ cell: cells[place], group: results.answer(row) ? results.group(row) : "" })).filter(({ group }) => group);
  const { unit, times } = byTime(rows);
  byId("time").hidden = !times.length;
  if (!times.length) return;
  const groups = [...results.counts].filter(([, count]) => count).sort((one, other) => other[1] - one[1]).slice(0, OTHERS.length).map(([group]) => group);
  lines = groups.map((group, i) => ({
    name: groupName(group), colour: work.job.asked.task === "zero-shot" ? OTHERS[i] : (COLOURS[group] ?? OTHERS[i]), counts: times.map(({ counts }) => counts.get(group) ?? 0),
  }));
  chart.draw(times.map(({ start }) => start), lines, unit === "month");
  byId("time-unit").textContent = texts.units[unit];
  byId("time-legend").replaceChildren(...lines.map((line) => {
    const item = Object.assign(document.createElement("li"), { textContent: line.name });
    item.style.setProperty("--tone", `var(${line.colour})`);
    return item;
  }));
  const name = (/** @type {number} */ start) => new Date(start).toISOString().slice(0, unit === "month" ? 7 : 10);
  const table_ = byId("time-table");
  table_.tHead.rows[0].replaceChildren(...[texts.units_short[unit], ...lines.map((line) => line.name)].map((text) => Object.assign(document.createElement("th"), { textContent: text, scope: "col" })));
  table_.tBodies[0].replaceChildren(...times.map(({ start }, i) => {
    const row = document.createElement("tr");
    row.append(Object.assign(document.createElement("th"), { textContent: name(start), scope: "row" }),
      ...lines.map(({ counts }) => Object.assign(document.createElement("td"), { textContent: whole(counts[i]) })));
    return row;
  }));
}

/**
 * A list of findings, each with examples and a button that shows its rows.
 * @param {HTMLElement} list
 * @param {{ name: string, note: string, value?: number, rest?: number, tone?: string, rows: number[] }[]} items `rest`: where, after the
 *   share `value`, that of what is good begins
 * @param {boolean} examples
 */
function fillFindings(list, items, examples) {
  const blank = byId("finding").content.firstElementChild;
  list.replaceChildren(...items.map(({ name, note, value, rest, tone = "own", rows }) => {
    const item = blank.cloneNode(true);
    item.dataset.label = tone;
    item.querySelector(".name").textContent = name;
    item.querySelector(".note").textContent = note;
    const meter = item.querySelector("meter");
    meter.hidden = value === undefined;
    if (value !== undefined) {
      meter.value = value;
      meter.ariaLabel = note;
      meter.ariaValueText = percent(value);
      if (rest !== undefined) meter.style.setProperty("--good-from", percent(rest));
    }
    item.querySelector(".examples").replaceChildren(...(examples ? rows.slice(0, EXAMPLES) : []).map((row) =>
      Object.assign(document.createElement("li"), { textContent: textOf(work, row), lang: "zh" })));
    const button = item.querySelector("button");
    button.hidden = !rows.length;
    button.textContent = filled(texts.show_rows, { count: whole(rows.length) });
    button.addEventListener("click", () => showOnly({ only: new Set(rows) }));
    return item;
  }));
}

function fillCopies() {
  const all = work.table.rows.map((_, row) => (work.results.answer(row) ? textOf(work, row) : ""));
  const copies = copiesOf(all);
  byId("copies").hidden = !copies.length;
  const extra = copies.reduce((sum, { rows }) => sum + rows.length - 1, 0);
  byId("copies-said").textContent = filled(texts.copies_said, { texts: whole(copies.length), rows: whole(extra) });
  fillFindings(byId("copies-list"), copies.slice(0, COPIES).map(({ text, rows }) => ({ name: text, note: filled(texts.times_found, { count: whole(rows.length) }), rows })), false);
}

function fillAspects() {
  const found = byAspect(work.results.aspects);
  byId("aspects").hidden = !(more.aspects && work.job.asked.task === "sentiment");
  byId("aspects-list").hidden = byId("aspects-legend").hidden = byId("keep-aspects").hidden = !found.length;
  fillFindings(byId("aspects-list"), found.map(({ aspect, rows, named }) => {
    const negative = [...(rows.negative ?? []), ...(rows.mixed ?? [])];
    const shareOf = (rows.negative?.length ?? 0) / named;
    return {
      name: aspect, value: shareOf, rest: negative.length / named, tone: "Negative", rows: negative,
      note: filled(texts.aspect_note, {
        named: whole(named), negative: whole(rows.negative?.length ?? 0), positive: whole(rows.positive?.length ?? 0), mixed: whole(rows.mixed?.length ?? 0), share: percent(shareOf),
      }),
    };
  }), true);
}

function fillClusters() {
  byId("clusters").hidden = !(more.embed && work.job.asked.task === "sentiment" && (work.results.counts.get("Negative") ?? 0) >= FEW);
  fillFindings(byId("clusters-list"), clusters.slice(0, CLUSTERS).map(({ words, rows }) => ({
    name: words.join(texts.comma) || texts.no_name, note: filled(texts.group_rows, { count: whole(rows.length) }), rows,
  })), true);
}

/** Everything that looks at all rows: once a job is over, and after a correction. The page may draw in between. */
export async function fillInsight() {
  const of = work;
  for (const fill of [fillShares, fillTime, fillCopies, fillAspects, fillClusters]) {
    if (of !== work) return;
    fill();
    await breathe();
  }
}

/**
 * Shows what `of` adds up to from now on.
 * @param {import("./work.js").Work} of
 */
export function showInsight(of) {
  asking?.abort();
  work = of;
  clusters = [];
  box.hidden = false;
  for (const id of ["time", "copies", "aspects", "clusters"]) byId(id).hidden = true;
  byId("clusters-said").textContent = byId("aspects-said").textContent = "";
  const dates = guessDates(work.table);
  byId("date-column").replaceChildren(...[[texts.no_dates, "-1"], ...work.table.columns.flatMap((name, place) =>
    (work.table.rows.slice(0, 200).some((row) => dayOf(row[place])) ? [[name, String(place)]] : []))].map(([name, value]) => new Option(name, value)));
  byId("date-column").value = String(dates);
  fillShares();
}

/**
 * Runs a further question with its button as the one that stops it.
 * @param {string} part id of the section
 * @param {Map<number, string>} asked texts by row
 * @param {{ api: string, inputs: number, body: (texts: string[]) => object, split: (answer: any, count: number) => any[], take: (row: number, answer: any) => void }} how
 */
async function run(part, asked, how) {
  if (asking) return asking.abort();
  const mine = asking = new AbortController();
  const [button, said] = [byId(`${part}-go`), byId(`${part}-said`)];
  const name = button.textContent;
  button.textContent = texts.stop;
  let told = 0;
  const timer = setInterval(() => { said.textContent = filled(texts.further, { done: whole(told), total: whole(asked.size) }); }, 500);
  try {
    const whole_ = await askFurther(asked, {
      ...how, progress: (done) => { told = done; },
      trouble: (fault) => complain(fault?.kind ?? "", fault?.message),
    }, mine.signal);
    said.textContent = whole_ ? "" : filled(texts.further_stopped, { done: whole(told), total: whole(asked.size) });
    return whole_;
  } finally {
    clearInterval(timer);
    button.textContent = name;
    asking = null;
  }
}

/** The aspects that somebody wrote, or the kind of reviews they chose; what the server asks about by default where neither. */
function wishedAspects() {
  const domain = byId("domain").value;
  const own = splitLabels(byId("own-aspects").value);
  if (domain === "own" && own.length) return { aspects: own };
  return domain && domain !== "own" ? { domain } : {};
}

async function askAspects() {
  const of = work;
  const wished = wishedAspects();
  if (JSON.stringify(wished) !== askedAspects) of.results.aspects.clear();
  askedAspects = JSON.stringify(wished);
  const asked = new Map(of.table.rows.flatMap((_, row) => (of.results.answer(row) && !of.results.aspects.has(row) ? [/** @type {[number, string]} */ ([row, textOf(of, row)])] : [])));
  await run("aspects", asked, {
    api: more.aspects, inputs: wished.aspects?.length ?? USUAL, body: (all) => ({ texts: all, ...wished }), split: (answer) => answer,
    take(row, { aspects }) {
      of.results.aspects.set(row, aspects);
      of.keep("aspects", row, aspects);
    },
  });
  of.flush();
  if (of !== work) return;
  fillAspects();
  changed();
}

/**
 * @param {string[]} all
 * @param {Float32Array[]} vectors
 * @returns {Promise<{ group: number[], words: string[] }[]>}
 */
function groupsOf(all, vectors) {
  const worker = new Worker(new URL("clusters_worker.js", import.meta.url), { type: "module" });
  /** @type {Promise<{ group: number[], words: string[] }[]>} */
  const answer = new Promise((done, failed) => {
    worker.onmessage = ({ data }) => done(data);
    worker.onerror = (event) => failed(new Error(event.message));
    worker.postMessage({ texts: all, vectors });
  });
  return answer.finally(() => worker.terminate());
}

async function askClusters() {
  const of = work;
  /** @type {Map<string, number[]>} copies are one text */
  const rows = new Map();
  of.table.rows.forEach((_, row) => {
    if (of.results.group(row) !== "Negative") return;
    const text = textOf(of, row);
    const found = rows.get(text);
    if (found) found.push(row);
    else if (rows.size < CLUSTERED) rows.set(text, [row]);
  });
  const asked = new Map([...rows].map(([text, [row]]) => [row, text]));
  /** @type {Map<number, number[]>} */
  const vectors = new Map();
  const isWhole = await run("clusters", asked, {
    api: more.embed, inputs: 1, body: (all) => ({ texts: all }), split: ({ embeddings }) => embeddings,
    take: (row, vector) => vectors.set(row, vector),
  });
  if (!isWhole || of !== work) return;
  const order = [...vectors.keys()].sort((one, other) => one - other);
  byId("clusters-said").textContent = texts.grouping;
  const all = order.map((row) => textOf(of, row));
  const found = await groupsOf(all, order.map((row) => Float32Array.from(/** @type {number[]} */ (vectors.get(row)))));
  if (of !== work) return;
  clusters = found.map(({ group, words }) => ({ words, rows: group.flatMap((place) => /** @type {number[]} */ (rows.get(all[place]))) }));
  byId("clusters-said").textContent = clusters.length ? "" : texts.no_clusters;
  fillClusters();
}

/**
 * A sheet with the numbers of all charts.
 * @returns {import("./xlsx/writer.js").SheetToWrite}
 */
export function summarySheet() {
  const { results } = work;
  const rounded = (/** @type {number} */ value) => Math.round(value * 10_000) / 10_000;
  /** @type {(string | number)[][]} */
  const rows = [[texts.charts.groups, texts.sheets.rows, texts.sheets.share]];
  for (const [group, count] of results.counts) rows.push([groupName(group), count, rounded(share(count))]);
  for (const [kind, count] of results.unsent) rows.push([groupName(kind), count]);
  if (results.errors) rows.push([texts.groups.error, results.errors]);
  rows.push([], [texts.charts.scores, texts.sheets.rows, texts.sheets.share]);
  results.bins.forEach((count, i) => rows.push([`${(i / 10).toFixed(1)}–${((i + 1) / 10).toFixed(1)}`, count, rounded(share(count))]));
  const aspects = byAspect(results.aspects);
  if (aspects.length) {
    rows.push([], [texts.aspects_title, texts.sheets.named, ...["positive", "negative", "mixed"].map((one) => texts.polarities[one])]);
    for (const { aspect, rows: by, named } of aspects) rows.push([aspect, named, ...["positive", "negative", "mixed"].map((one) => by[one]?.length ?? 0)]);
  }
  if (!byId("time").hidden) for (const line of byId("time-table").rows) rows.push(line.parentElement === byId("time-table").tHead ? [...line.cells].map((cell) => cell.textContent) : [...line.cells].map((cell, i) => (i ? Number(cell.textContent.replace(/\D/g, "")) : cell.textContent)));
  if (clusters.length) {
    rows.push([], [texts.clusters_title, texts.sheets.rows, texts.sheets.example]);
    for (const { words, rows: all } of clusters) rows.push([words.join(texts.comma), all.length, textOf(work, all[0])]);
  }
  return { name: texts.sheets.summary, rows };
}

byId("aspects-go").addEventListener("click", askAspects);
byId("domain").addEventListener("change", () => {
  byId("own-aspects").parentElement.hidden = byId("domain").value !== "own";
});
byId("clusters-go").addEventListener("click", askClusters);
byId("date-column").addEventListener("change", () => {
  fillTime();
  byId("time").hidden = false;
});
for (const button of box.querySelectorAll("[data-keep]")) {
  button.addEventListener("click", () => {
    const title = button.closest("section, div.chart-box").querySelector("h3, h2").textContent;
    if (button.dataset.keep === "time") keepLines(chart.canvas, title, lines, `${nameOf(work)} ${title}`);
    else keepBars(byId(button.dataset.keep), title, `${nameOf(work)} ${title}`);
  });
}
document.addEventListener("corrected", fillInsight);
