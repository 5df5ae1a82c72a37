// Answers in place. Without this script the same forms work with a full page reload.
const byId = (id) => document.getElementById(id);
const form = byId("form");
const input = byId("text");
const errorBox = byId("error");
const result = byId("result");
const history = byId("history");

const texts = JSON.parse(form.dataset.texts);
const limitMb = Number(form.dataset.limitMb);
const endpoint = new URL("predict", location.href);
const STORE = "structbert-lite-past";
const KEPT = 8;
const PATIENCE_MS = 60_000; // longer than any deadline of the server: only for a connection that hangs

const percent = (value) => `${(value * 100).toFixed(1)}%`;
const named = (label) => texts.labels[label] ?? label;
const bodyOf = (text) => JSON.stringify({ text });

/** A fault with the name of one of `texts.errors` and, perhaps, the server's own sentence. */
class Fault extends Error {
  constructor(kind, detail = "") {
    super(detail);
    this.kind = kind in texts.errors ? kind : "other";
  }
}

/** Asks the server; throws a Fault. */
async function predict(text, signal) {
  if (!text.trim()) throw new Fault("invalid_input");
  const body = bodyOf(text);
  // A server that refuses a large body may hang up before the browser has read why.
  if (new Blob([body]).size > limitMb * 2 ** 20) throw new Fault("payload_too_large");
  let response;
  try {
    response = await fetch(endpoint, { method: "POST", headers: { "Content-Type": "application/json" }, body, signal });
  } catch {
    throw new Fault("unreachable");
  }
  const answer = await response.json().catch(() => null);
  if (response.ok && answer) return answer;
  throw new Fault(answer?.error?.type ?? "other", answer?.error?.message ?? `HTTP ${response.status}`);
}

function showAnswer(answer, ms) {
  const card = byId("answer").content.cloneNode(true);
  card.querySelector(".verdict").dataset.label = answer.label;
  card.querySelector("strong").textContent = named(answer.label);
  card.querySelector("b").textContent = percent(answer.score);
  const list = card.querySelector("ul");
  const blank = list.firstElementChild;
  list.replaceChildren(...Object.entries(answer.probabilities).map(([label, value]) => {
    const row = blank.cloneNode(true);
    row.dataset.label = label;
    row.querySelector(".name").textContent = named(label);
    row.querySelector(".percent").textContent = percent(value);
    const meter = row.querySelector("meter");
    meter.value = value;
    meter.textContent = percent(value);
    meter.setAttribute("aria-label", named(label));
    meter.setAttribute("aria-valuetext", percent(value));
    return row;
  }));
  card.querySelector(".truncated").hidden = !answer.truncated;
  card.querySelector(".took").textContent = texts.took_browser.replace("{ms}", ms.toFixed(ms < 10 ? 1 : 0));
  showError(null);
  result.replaceChildren(card);
  result.scrollIntoView({ block: "nearest" });
}

function showError(fault) {
  input.ariaInvalid = String(fault?.kind === "invalid_input");
  errorBox.replaceChildren();
  if (!fault) return;
  result.replaceChildren();
  const said = document.createElement("p");
  said.textContent = texts.errors[fault.kind].replace("{limit}", limitMb);
  errorBox.append(said);
  if (fault.message) {
    const detail = document.createElement("p");
    detail.className = "detail";
    detail.lang = "en";
    detail.textContent = fault.message;
    errorBox.append(detail);
  }
  if (fault.kind === "invalid_input") input.focus();
  errorBox.scrollIntoView({ block: "nearest" });
}

let pending = null;

/** Runs one analysis; a newer one takes its place. */
async function analyse() {
  pending?.abort();
  const mine = (pending = new AbortController());
  const timer = setTimeout(() => mine.abort(), PATIENCE_MS);
  form.ariaBusy = "true";
  const text = input.value;
  const started = performance.now();
  try {
    const answer = await predict(text, mine.signal);
    if (pending !== mine) return;
    showAnswer(answer, performance.now() - started);
    remember({ text, label: answer.label, score: answer.score });
  } catch (fault) {
    if (!(fault instanceof Fault)) throw fault;
    if (pending === mine) showError(fault);
  } finally {
    clearTimeout(timer);
    if (pending === mine) form.ariaBusy = "false";
  }
}

function analyseThis(text) {
  input.value = text;
  analyse();
}

// The history lives in this tab only and goes when the tab is closed.
let past = JSON.parse(sessionStorage.getItem(STORE) ?? "[]");

function remember(entry) {
  past = [entry, ...past.filter((other) => other.text !== entry.text)].slice(0, KEPT);
  showPast();
}

function showPast() {
  try {
    sessionStorage.setItem(STORE, JSON.stringify(past));
  } catch {
    // A text near the storage quota is shown but not kept.
  }
  history.hidden = past.length === 0;
  history.querySelector("ol").replaceChildren(...past.map(({ text, label, score }) => {
    const item = byId("past").content.cloneNode(true);
    item.querySelector(".text").textContent = text.slice(0, 200);
    item.querySelector(".tag").textContent = `${named(label)} ${percent(score)}`;
    item.querySelector(".tag").dataset.label = label;
    const button = item.querySelector("button");
    button.title = texts.history_again;
    button.addEventListener("click", () => analyseThis(text));
    return item;
  }));
}

async function copyCurl() {
  const quoted = bodyOf(input.value || texts.examples[0]).replaceAll("'", String.raw`'\''`);
  const command = `curl -X POST '${endpoint}' -H 'Content-Type: application/json' -d '${quoted}'`;
  const pre = byId("curl-command");
  const status = byId("curl-status");
  try {
    // Browsers offer the clipboard to localhost and https pages alone.
    await navigator.clipboard.writeText(command);
    pre.hidden = true;
    status.textContent = texts.curl_copied;
    setTimeout(() => { if (pre.hidden) status.textContent = ""; }, 3000);
  } catch {
    status.textContent = texts.curl_by_hand;
    pre.textContent = command;
    pre.hidden = false;
    getSelection().selectAllChildren(pre);
  }
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  analyse();
});
input.addEventListener("keydown", (event) => {
  // Enter that ends an input method's composition is not a command.
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && !event.isComposing) {
    event.preventDefault();
    form.requestSubmit();
  }
});
byId("examples").addEventListener("submit", (event) => {
  event.preventDefault();
  analyseThis(event.submitter.value);
});
byId("curl").addEventListener("click", copyCurl);
byId("forget").addEventListener("click", () => {
  past = [];
  showPast();
  input.focus();
});
for (const element of document.querySelectorAll("[data-script]")) element.hidden = false;
showPast();
