// @ts-check
// The status page: asks /metrics, again and again, and shows what came of it.
import { keyHeaders } from "../key.js";
import { byId, filled, partOf, percent, texts } from "../page.js";
import { fillBar, fillRows } from "../rows.js";
import { Chart } from "./charts.js";
import { batches, figures, levels, models, routes } from "./figures.js";
import { inMs, mb, rounded, whole } from "./format.js";
import { Scrape } from "./prometheus.js";

const PERIOD_MS = 2000;
const PATIENCE_MS = 10_000;
const WINDOW_S = 60; // what the large numbers are of
const KEPT = 150; // scrapes, five minutes of them
/** @type {Record<number, string>} */
const KINDS = { 401: "unauthorized", 403: "unauthorized", 404: "not_found" };

const box = byId("figures");
const notice = byId("notice");
const inMilliseconds = (/** @type {number | null} */ seconds) => seconds === null ? null : seconds * 1000;

/** @typedef {ReturnType<typeof figures> & ReturnType<typeof levels>} Figures */
/** @typedef {[of: (now: Figures) => (number | null)[], count: number, format: (value: number) => string, most?: number]} Drawing */

const LINES = ["--accent", "--middle", "--negative"];
/**
 * What each chart draws of a point.
 * @type {Record<string, Drawing>}
 */
const CHARTS = {
  rate: [({ rate }) => [rate], 1, rounded],
  latency: [({ p50, p95, p99 }) => [p50, p95, p99].map(inMilliseconds), 3, rounded],
  busy: [({ inFlight, waiting }) => [inFlight, waiting], 2, rounded],
  rows: [({ rows }) => [rows], 1, rounded],
  hits: [({ hits }) => [hits], 1, (value) => `${Math.round(value * 100)}%`, 1],
  memory: [({ memory, cache }) => [mb(memory), mb(cache)], 2, whole],
};
/** @type {Record<string, Chart>} */
const charts = {};
/** @type {Scrape[]} */
let scrapes = [];
/** @type {(Figures & { seconds: number })[]} */
let points = [];

/**
 * @param {string} name
 * @param {string} value
 * @param {Record<string, string> | null} note what stands in the words below it; null for no words
 */
function tile(name, value, note) {
  const [, large, small] = partOf(document, `[data-tile="${name}"]`).children;
  large.textContent = value;
  small.textContent = note ? filled(texts.notes[name], note) : "";
}

/**
 * What there is to say to whoever runs the server and wants to know whether all is well.
 * @param {"well" | "busy" | "failing" | "unready" | "away"} name
 * @param {{ requests?: number, failed?: number, p50?: number | null }} [minute]
 */
function showState(name, { requests = 0, failed = 0, p50 = null } = {}) {
  const [title, words] = byId("state-of-service").children;
  byId("state-of-service").dataset.label = name === "well" ? "Positive" : name === "busy" ? "medium" : "Negative";
  title.textContent = texts.states[name];
  const said = name === "away" ? "" : requests ? filled(texts.sentence, { requests: whole(requests), latency: inMs(p50) }) : texts.no_requests;
  words.textContent = said + (failed ? filled(texts.failures, { failed: whole(failed) }) : "");
}

/**
 * @param {Scrape} scrape
 * @param {boolean} ready
 */
function showTiles(scrape, ready) {
  const now = levels(scrape);
  const before = scrapes.find(({ seconds }) => seconds >= scrape.seconds - WINDOW_S) ?? scrape;
  const minute = figures(before, scrape);
  showState(!ready ? "unready" : minute.failed ? "failing" : now.waiting ? "busy" : "well", minute);
  tile("minute", whole(minute.requests), { count: whole(routes(scrape).reduce((sum, { requests }) => sum + requests, 0)) });
  tile("failed", whole(minute.failed), {});
  tile("in_flight", whole(now.inFlight), { count: whole(now.waiting) });
  tile("rate", rounded(minute.rate), {});
  tile("latency", inMs(minute.p50), minute.p50 === null ? null : { p95: inMs(minute.p95), p99: inMs(minute.p99) });
  tile("rows", rounded(minute.rows), {});
  tile("hits", minute.hits === null ? "—" : percent(minute.hits), { count: whole(now.cached) });
  tile("memory", `${whole(mb(now.memory))} MB`, { size: `${mb(now.cache).toFixed(1)} MB` });
}

/**
 * @param {string} id
 * @param {string[][]} rows
 */
function showTable(id, rows) {
  byId(id).tBodies[0].replaceChildren(...rows.map((cells) => {
    const row = document.createElement("tr");
    row.append(...cells.map((text, i) => {
      const cell = document.createElement(i === 0 ? "th" : "td");
      if (i === 0) cell.scope = "row";
      cell.textContent = text;
      return cell;
    }));
    return row;
  }));
}

/** @param {Scrape} scrape */
function showSinceStart(scrape) {
  showTable("routes", routes(scrape).map((one) => [one.route, whole(one.requests), whole(one.failed), inMs(one.p50), inMs(one.p99)]));
  showTable("models", models(scrape).map((one) => [one.task, one.model, one.loaded ? texts.loaded : texts.not_loaded, whole(one.items)]));
  const sizes = batches(scrape);
  byId("batches").hidden = sizes.length === 0;
  byId("batches").previousElementSibling.hidden = sizes.length > 0;
  if (sizes.length) {
    fillRows(byId("batches"), sizes, (row, { from, to, share }) =>
      fillBar(row, "own", from === to ? `${to}` : to === Infinity ? `≥ ${from}` : `${from}–${to}`, share));
  }
}

function showCharts() {
  const seconds = points.map((point) => point.seconds);
  for (const [name, [of, count, format, most]] of Object.entries(CHARTS)) {
    charts[name] ??= new Chart(partOf(document, `[data-chart="${name}"]`), LINES.slice(0, count), format, most);
    const values = points.map(of);
    charts[name].draw(seconds, LINES.slice(0, count).map((_, i) => values.map((value) => value[i])));
  }
}

/**
 * @param {Scrape} scrape
 * @param {boolean} ready
 */
function take(scrape, ready) {
  const last = scrapes.at(-1);
  // Counters that fell: another start of the server.
  const total = (/** @type {Scrape} */ one) => one.total("structbert_http_requests_total");
  if (last && total(scrape) < total(last)) scrapes = [];
  const before = scrapes.at(-1);
  scrapes = [...scrapes, scrape].slice(-KEPT);
  showTiles(scrape, ready);
  showSinceStart(scrape);
  if (before) points = [...points, { seconds: scrape.seconds, ...figures(before, scrape), ...levels(scrape) }].slice(-KEPT);
  if (points.length) showCharts();
}

/**
 * Says what is wrong, with a button where asking again is the visitor's choice; nothing takes it away.
 * @param {string} kind
 */
function say(kind) {
  notice.hidden = !kind;
  notice.querySelector("p").textContent = kind ? texts.errors[kind] : "";
  notice.querySelector("button").hidden = kind === "unreachable";
}

/** Whether to go on asking by itself. */
async function look() {
  try {
    const response = await fetch(box.dataset.metrics, { headers: keyHeaders(), signal: AbortSignal.timeout(PATIENCE_MS), cache: "no-store" });
    if (!response.ok) throw new Error(KINDS[response.status] ?? "unreachable");
    const { ok } = await fetch(box.dataset.ready, { signal: AbortSignal.timeout(PATIENCE_MS), cache: "no-store" });
    take(new Scrape(await response.text(), Date.now() / 1000), ok);
    say("");
  } catch (error) {
    const kind = error instanceof Error && Object.values(KINDS).includes(error.message) ? error.message : "unreachable";
    say(kind);
    if (kind === "unreachable") showState("away");
    // The browser asks for a key each time it is refused: not every two seconds.
    return kind === "unreachable";
  }
  return true;
}

async function watch() {
  while (document.hidden || (await look())) await new Promise((done) => setTimeout(done, PERIOD_MS));
}

notice.querySelector("button").addEventListener("click", watch);
const redraw = () => Object.values(charts).forEach((chart) => chart.redraw());
document.addEventListener("themechange", redraw);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
watch();
