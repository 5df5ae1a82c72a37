// @ts-check
// Answers in place. Without this script the same forms work with a full page reload.
import { ask, Fault } from "./api.js";
import { carry } from "./carry.js";
import { copy } from "./clipboard.js";
import { blank, example, firstExample, mark, read, write } from "./fields.js";
import { remember, startHistory } from "./history.js";
import { askForKey } from "./key.js";
import { rewrite } from "./models.js";
import { byId, endpoint, filled, form, limits, texts } from "./page.js";

const PATIENCE_S = 60; // longer than a server's deadline usually is: for a connection that hangs
const LONG_S = 5; // after which a visitor wants to know what is going on
// The same question would fail again.
const LASTING = new Set(["invalid_input", "malformed_json", "payload_too_large", "task_not_available", "unsupported_media_type"]);
const errorBox = byId("error");
const result = byId("result");
/** @type {AbortController | null} */
let pending = null;

/** @typedef {import("./fields.js").Values} Values */
/**
 * @template Answer the API's, from JSON
 * @template {Values} Asked what the form's fields hold
 * @typedef {object} Panel what a panel knows
 * @property {(values: Asked) => object} body the JSON for the form's values
 * @property {(card: DocumentFragment, answer: Answer, values: Asked) => void} fill the answer on a copy of the page's template
 * @property {(answer: Answer, values: Asked) => Omit<import("./history.js").Entry, "values">} entry its line of the history
 * @property {(values: Asked) => URL} [route] where not every question goes to the same
 * @property {(path: string) => string} [fieldOf] where the API and the form name a field differently
 */

/**
 * @template Answer
 * @template {Values} Asked
 * @param {Panel<Answer, Asked>} panel
 */
export function startPanel({ body, fill, entry, route = () => endpoint, fieldOf = (path) => path.split("[")[0] }) {
  /** @param {Asked} values */
  const asked = (values) => (values.model ? { ...body(values), model: values.model } : body(values));

  /** Runs one analysis; a newer one takes its place. */
  async function run() {
    pending?.abort();
    const mine = (pending = new AbortController());
    const stopWaiting = wait(mine);
    form.ariaBusy = "true";
    const values = /** @type {Asked} */ (read());
    const started = performance.now();
    try {
      const empty = blank();
      if (empty) throw new Fault("invalid_input", "", empty);
      await rewrite();
      const { answer, timing } = await ask(asked(values), mine.signal, route(values));
      if (pending !== mine) return;
      const card = byId("answer").content.cloneNode(true);
      fill(card, answer, values);
      fillTook(card.querySelector(".took"), performance.now() - started, timing);
      show(card);
      remember({ values, ...entry(answer, values) });
    } catch (fault) {
      if (!(fault instanceof Fault)) console.error(fault); // for whoever mends it; visitors get a sentence
      if (pending === mine) showError(fault instanceof Fault ? fault : new Fault("broken"), fieldOf(fault instanceof Fault ? fault.field : ""), run);
    } finally {
      stopWaiting();
      if (pending === mine) form.ariaBusy = "false";
    }
  }

  /** @param {Values} values */
  function runWith(values) {
    write(values);
    run();
  }

  form.addEventListener("submit", (/** @type {Event} */ event) => {
    event.preventDefault();
    run();
  });
  form.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
    // Enter that ends an input method's composition is not a command.
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && !event.isComposing) {
      event.preventDefault();
      form.requestSubmit();
    }
  });
  byId("examples").addEventListener("submit", (/** @type {any} */ event) => {
    event.preventDefault();
    runWith(example(event.submitter));
  });
  byId("curl").addEventListener("click", () => {
    const key = "needsKey" in form.dataset ? ` -H "Authorization: Bearer $API_KEY"` : "";
    const values = /** @type {Asked} */ (blank() ? { ...read(), ...firstExample() } : read());
    const said = JSON.stringify(asked(values)).replaceAll("'", String.raw`'\''`);
    const command = `curl -X POST '${route(values)}'${key} -H 'Content-Type: application/json' -d '${said}'`;
    byId("curl-command").hidden = true;
    copy(command, byId("curl-command"), byId("curl-status"));
  });
  reveal(document);
  startHistory(runWith);
  carry();
}

/**
 * Says after a while that it takes long, offers to end it, and ends it in time. The function that it returns stops that.
 * @param {AbortController} asking
 */
function wait(asking) {
  const line = byId("wait");
  const started = performance.now();
  const timer = setInterval(() => {
    const seconds = Math.round((performance.now() - started) / 1000);
    if (seconds >= PATIENCE_S) asking.abort(new DOMException("", "TimeoutError"));
    if (seconds >= LONG_S) line.querySelector("span").textContent = filled(texts.waiting, { seconds: seconds - (seconds % LONG_S) });
    line.hidden = seconds < LONG_S;
  }, 1000);
  const cancel = () => {
    pending = null;
    form.ariaBusy = "false";
    asking.abort();
  };
  const button = line.querySelector("button");
  button.addEventListener("click", cancel);
  return () => {
    clearInterval(timer);
    button.removeEventListener("click", cancel);
    if (!pending || pending === asking) line.hidden = true;
  };
}

/**
 * Shows what only works with scripts.
 * @param {any} root
 */
function reveal(root) {
  for (const element of root.querySelectorAll("[data-script]")) element.hidden = false;
}

/**
 * @param {any} line
 * @param {number} milliseconds
 * @param {any} timing
 */
function fillTook(line, milliseconds, timing) {
  const ms = milliseconds.toFixed(milliseconds < 10 ? 1 : 0);
  line.querySelector(".time").textContent = filled(timing ? texts.took_both : texts.took_browser, { ms, server: timing?.ms });
  if (!timing) return;
  const { found, inputs } = timing;
  const { none, all, some } = texts.cache;
  line.querySelector(".cache").textContent = filled(found === 0 ? none : found === inputs ? all : some, { found, inputs });
}

/** @param {any} card */
function show(card) {
  reveal(card);
  errorBox.replaceChildren();
  mark("");
  result.replaceChildren(card);
  result.scrollIntoView({ block: "nearest" });
}

/**
 * @param {Fault} fault
 * @param {string} field
 * @param {() => void} retry
 */
function showError(fault, field, retry) {
  result.replaceChildren();
  const known = texts.errors[field] ?? texts.errors[fault.kind];
  const words = filled(known ?? texts.errors.other, limits);
  errorBox.replaceChildren(paragraph(known || !fault.id ? words : `${words} ${filled(texts.errors.report, fault)}`));
  if (fault.kind === "unauthorized") askForKey();
  if (!LASTING.has(fault.kind)) {
    const button = byId("retry").content.firstElementChild.cloneNode(true);
    button.addEventListener("click", retry);
    errorBox.append(button);
  }
  if (fault.kind !== "unauthorized") mark(field);
  errorBox.scrollIntoView({ block: "nearest" });
}

const paragraph = (/** @type {string} */ text) => Object.assign(document.createElement("p"), { textContent: text });
