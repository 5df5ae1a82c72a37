// The page for a whole file: takes it, asks what to do with it, runs that, offers the result.
import { byId, filled, texts } from "../page.js";
import { chosen, job, offer } from "./choices.js";
import { complain } from "./notice.js";
import { fillPreview } from "./preview.js";
import { Run } from "./run.js";
import { readTable, Unreadable } from "./table.js";

let file = null;
let table = null;
let run = null; // the job, also when it is over
let busy = false;

/** While a file is read or a job runs nothing else can be chosen. */
function setBusy(now) {
  busy = now;
  byId("choices").disabled = job.elements.file.disabled = now;
}

/** The browser asks whether a page with a job is to be left. */
const stay = (event) => event.preventDefault();

async function take(given) {
  if (!given || busy) return;
  complain("");
  setBusy(true);
  byId("preview").hidden = byId("choices").hidden = byId("run").hidden = byId("summary").hidden = true;
  byId("reading").textContent = filled(texts.reading, { name: given.name });
  run = table = null;
  try {
    table = await readTable(given);
    file = given;
    fillPreview(byId("preview"), given.name, table);
    offer(table);
    byId("preview").hidden = byId("choices").hidden = false;
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    complain(error.kind, error.message);
  } finally {
    byId("reading").textContent = "";
    setBusy(false);
  }
}

async function start() {
  complain("");
  try {
    run = new Run(table, chosen());
  } catch (fault) {
    if (!fault.kind) throw fault;
    complain(fault.kind);
    byId(fault.field).focus();
    return;
  }
  setBusy(true);
  window.addEventListener("beforeunload", stay);
  try {
    await run.go();
  } finally {
    window.removeEventListener("beforeunload", stay);
    setBusy(false);
  }
}

async function download() {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(await run.results.csv(run.table, run.prefix));
  link.download = `${file.name.replace(/\.\w+$/, "")}.${run.state === "done" ? "scored" : "part"}.csv`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

job.addEventListener("submit", (event) => {
  event.preventDefault();
  if (table && !busy) start();
});
byId("pause").addEventListener("click", () => run.toggle());
byId("cancel").addEventListener("click", () => run.sender.cancel());
byId("download").addEventListener("click", download);
job.elements.file.addEventListener("change", (event) => take(event.target.files[0]));

// A file that misses the field would be opened by the browser, in the place of this page.
for (const kind of ["dragover", "drop"]) {
  document.addEventListener(kind, (event) => {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    byId("drop").classList.toggle("over", kind === "dragover" && !busy);
    if (kind === "drop") take(event.dataTransfer.files[0]);
  });
}
document.addEventListener("dragleave", () => byId("drop").classList.remove("over"));

offer();
job.hidden = false;
