// @ts-check
// The page for whole files: takes them, asks what to do with them, runs that, shows and offers the results.
import { byId, filled, percent, texts } from "../page.js";
import { whole } from "../status/format.js";
import { chosen, forget, job, offer } from "./choices.js";
import { openDetail } from "./detail.js";
import { fillInsight, fillShares, showInsight, summarySheet } from "./insight.js";
import { complain } from "./notice.js";
import { csvOf, nameOf, save, trainingOf, workbookOf } from "./output.js";
import { readPasted } from "./paste.js";
import { fillPreview } from "./preview.js";
import { changed, refresh, showRows } from "./rows_table.js";
import { Run } from "./run.js";
import { held, Store } from "./store.js";
import { readFile, tableOf, Unreadable } from "./table.js";
import { Work } from "./work.js";

/** @type {import("./table.js").Source[]} */
let sources = [];
/** @type {import("./table.js").How[]} how each of them is to be read, where that is not to be found out */
let hows = [];
let at = 0; // the one of them that can be put right
/** @type {import("./scoring.js").Table | null} */
let table = null;
/** @type {Run | null} the job, also when it is over */
let run = null;
let busy = false;
const opening = Store.open();

/**
 * While a file is read or a job runs nothing else can be chosen.
 * @param {boolean} now
 */
function setBusy(now) {
  busy = now;
  byId("choices").disabled = byId("sources").disabled = byId("pickers").disabled = now;
}

/** The browser asks whether a page with a job that it does not keep is to be left. */
const stay = (/** @type {BeforeUnloadEvent} */ event) => {
  if (!run?.work.kept) event.preventDefault();
};

/**
 * What a job is made with is out of the way while it runs, and what it was made with once all rows are done.
 * @param {"" | "running" | "over"} state
 */
function fold(state) {
  job.dataset.state = state;
  byId("otherwise").hidden = state !== "over" || !table;
}

/** Shows what was read, and what can be done with it. */
function show() {
  table = tableOf(sources, { nameOf: (number) => filled(texts.unnamed, { number }), source: texts.columns.file });
  if (!table.columns.length || !table.rows.length) {
    table = null;
    byId("choices").hidden = true;
    // Where another sheet or another header may help, they can still be chosen.
    byId("preview").hidden = !sources.some(({ grid, facts }) => grid?.length || (facts.sheets?.length ?? 0) > 1);
    if (!byId("preview").hidden) fillPreview(sources, { columns: [], rows: [] }, at, hows[at]);
    throw new Unreadable("empty_file");
  }
  fillPreview(sources, table, at, hows[at]);
  offer(table);
  byId("preview").hidden = byId("choices").hidden = false;
  byId("gains").hidden = true;
}

/**
 * @param {string} name that is said meanwhile
 * @param {() => Promise<import("./table.js").Source[]>} read
 */
async function take(name, read) {
  if (busy) return;
  complain("");
  setBusy(true);
  byId("reading").textContent = filled(texts.reading, { name });
  try {
    sources = await read();
    show();
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    complain(error.kind, error.message);
  } finally {
    byId("reading").textContent = "";
    setBusy(false);
  }
}

/** What was found out and shown of other files is gone. */
function begin() {
  hows = [];
  at = 0;
  forget();
  run = table = null;
  fold("");
  for (const id of ["preview", "choices", "run", "results", "insight", "offer"]) byId(id).hidden = true;
}

/** @param {File[]} files */
function takeFiles(files) {
  if (!files.length || busy) return;
  begin();
  take(files.map(({ name }) => name).join(texts.comma), () => Promise.all(files.map(async (file) => {
    try {
      return await readFile(file);
    } catch (error) {
      // Of several it is said which one.
      throw error instanceof Unreadable && files.length > 1 ? new Unreadable(error.kind, [file.name, error.message].filter(Boolean).join(texts.colon)) : error;
    }
  })));
}

/**
 * The chosen file again, read otherwise.
 * @param {import("./table.js").How} how
 */
function again(how) {
  hows[at] = { ...hows[at], ...how };
  take(sources[at].name, async () => sources.with(at, await readFile(sources[at].file, hows[at])));
}

async function takeSample() {
  const { sample } = byId("sample").dataset;
  const name = sample.split("/").at(-1).split("?")[0];
  begin();
  await take(name, async () => {
    const answer = await fetch(sample).catch(() => null);
    if (!answer?.ok) throw new Unreadable("no_sample");
    return [await readFile(new File([await answer.blob()], name))];
  });
}

/**
 * A job from here to its end.
 * @param {Work} work
 */
async function go(work) {
  run = new Run(work, () => {
    if (!run?.isOver) fillShares();
    refresh();
  });
  showRows(work, (row) => openDetail(work, row));
  showInsight(work);
  byId("offer").hidden = byId("gains").hidden = true;
  const { name, asked: { task, places, options: { model } }, columns } = work.job;
  byId("about").textContent = filled(texts.about, { name, task: [texts.task_names[task], model].filter(Boolean).join(" · "), columns: places.map((place) => columns[place]).join(texts.comma) });
  fold("running");
  setBusy(true);
  window.addEventListener("beforeunload", stay);
  try {
    if (work.isDone) run.showDone();
    else await run.go();
  } finally {
    window.removeEventListener("beforeunload", stay);
    setBusy(false);
    fold(work.isDone ? "over" : "");
  }
  work.flush();
  changed();
  fillInsight();
  byId("training").hidden = work.job.asked.task === "similarity";
}

async function start() {
  if (!table) return;
  complain("");
  let asked;
  try {
    asked = chosen();
  } catch (/** @type {any} */ fault) {
    if (!fault.kind) throw fault;
    complain(fault.kind);
    byId(fault.field).focus();
    return;
  }
  setBusy(true);
  const store = await opening;
  await removeOthers(store);
  await go(await Work.begin(sources.map(({ name }) => name).join(texts.comma), table, asked, store));
}

/**
 * Jobs of this browser that no other tab is at.
 * @param {Store | null} store
 */
async function idle(store) {
  if (!store) return [];
  const taken = await held();
  return (await store.jobs()).filter(({ id }) => !taken.has(id) || id === run?.work.job.id);
}

/**
 * One job is kept, not every one that there ever was.
 * @param {Store | null} store
 */
async function removeOthers(store) {
  for (const one of await idle(store)) await store?.remove(one.id);
}

/** Offers to go on with what was left behind. */
async function offerJobs() {
  const store = await opening;
  const [left] = await idle(store);
  byId("offer").hidden = !left || busy;
  if (!left || !store) return;
  const isDone = left.done === left.total;
  byId("offer-said").textContent = filled(isDone ? texts.offer_done : texts.offer, {
    name: left.name, done: whole(left.done), total: whole(left.total), percent: percent(left.done / left.total),
    when: new Date(left.created).toLocaleString(texts.lang, { dateStyle: "medium", timeStyle: "short" }),
  });
  byId("offer-go").textContent = isDone ? texts.offer_open : texts.resume;
  byId("offer-go").onclick = async () => {
    if (busy) return;
    const work = await Work.again(left, store);
    if (work) await go(work);
    else offerJobs();
  };
  byId("offer-remove").onclick = async () => {
    await store.remove(left.id);
    offerJobs();
  };
}

/** @param {string} kind */
async function download(kind) {
  if (!run) return;
  const { work } = run;
  const name = `${nameOf(work)}.${work.isDone ? "scored" : "part"}`;
  if (kind === "training") save(trainingOf(work), `${nameOf(work)}.labels.csv`);
  else if (kind === "csv") save(await csvOf(work), `${name}.csv`);
  else save(await workbookOf(work, summarySheet()), `${name}.xlsx`);
}

job.addEventListener("submit", (/** @type {Event} */ event) => {
  event.preventDefault();
  if (table && !busy) start();
});
byId("pause").addEventListener("click", () => run?.toggle());
byId("cancel").addEventListener("click", () => {
  byId("ask-cancel-said").textContent = filled(texts.ask_cancel, { done: whole(run?.work.results.done ?? 0) });
  byId("ask-cancel").showModal();
});
byId("ask-cancel").addEventListener("close", () => {
  if (byId("ask-cancel").returnValue === "yes") run?.work.sender.cancel();
  byId("ask-cancel").returnValue = "";
});
byId("try-now").addEventListener("click", () => run?.work.sender.hurry());
byId("download").addEventListener("click", () => download("xlsx"));
byId("download-csv").addEventListener("click", () => download("csv"));
byId("training").addEventListener("click", () => {
  if (run?.work.results.corrections.size) download("training");
  else byId("training-said").textContent = texts.no_corrections;
});
document.addEventListener("corrected", () => { byId("training-said").textContent = ""; });
byId("sample").addEventListener("click", takeSample);
byId("file").addEventListener("change", (/** @type {any} */ event) => {
  takeFiles([...event.target.files]);
  event.target.value = ""; // the same file, mended meanwhile, is another choice
});
byId("read-paste").addEventListener("click", () => {
  const text = byId("paste").value;
  if (busy || !text.trim()) return;
  begin();
  take(texts.pasted, async () => [await readPasted(text, texts.pasted)]);
});
byId("source").addEventListener("change", (/** @type {any} */ event) => {
  at = Number(event.target.value);
  fillPreview(sources, table ?? { columns: [], rows: [] }, at, hows[at]);
});
byId("sheet").addEventListener("change", (/** @type {any} */ event) => again({ sheet: event.target.value }));
byId("encoding").addEventListener("change", (/** @type {any} */ event) => again({ encoding: event.target.value === "auto" ? undefined : event.target.value }));
byId("no-quotes").addEventListener("change", (/** @type {any} */ event) => again({ quotes: !event.target.checked }));
byId("header").addEventListener("change", (/** @type {any} */ event) => {
  const header = Number(event.target.value);
  take(sources[at].name, async () => sources.with(at, { ...sources[at], header }));
});
byId("otherwise").addEventListener("click", () => {
  fold("");
  job.elements.task.focus();
});

// A file that misses the field would be opened by the browser, in the place of this page.
for (const kind of ["dragover", "drop"]) {
  document.addEventListener(kind, (/** @type {any} */ event) => {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    byId("drop").classList.toggle("over", kind === "dragover" && !busy);
    if (kind === "drop") takeFiles([...event.dataTransfer.files]);
  });
}
document.addEventListener("dragleave", () => byId("drop").classList.remove("over"));

job.hidden = byId("gains").hidden = false;
offerJobs();

// What stood in the field of the first page, which leads here with several lines (panels/sentiment.js).
const carried = sessionStorage.getItem("structbert-lite-lines");
if (carried) {
  sessionStorage.removeItem("structbert-lite-lines");
  byId("paste").value = carried;
  byId("read-paste").click();
}
