// @ts-check
// What was asked before. It lives in this tab only and goes when the tab is closed.
import { byId, endpoint, form, texts } from "./page.js";

const KEPT = 8;
const STORE = `structbert-lite-past ${texts.lang} ${endpoint.pathname}`; // a tag is in the language of its page
const section = byId("history");
/** @typedef {{ values: import("./fields.js").Values, title: string, tag: string, tone: string }} Entry `tone` is that of the tag */

/** @type {Entry[]} */
let past = JSON.parse(sessionStorage.getItem(STORE) ?? "[]");
/** @type {(values: import("./fields.js").Values) => void} */
let again = () => {};

/**
 * Shows the history.
 * @param {typeof again} retry is called for a click on an entry
 */
export function startHistory(retry) {
  again = retry;
  byId("forget").addEventListener("click", () => {
    past = [];
    show();
    form.elements[0].focus();
  });
  show();
}

/** @param {Entry} entry */
export function remember(entry) {
  const key = JSON.stringify(entry.values);
  past = [entry, ...past.filter((other) => JSON.stringify(other.values) !== key)].slice(0, KEPT);
  show();
}

function show() {
  try {
    sessionStorage.setItem(STORE, JSON.stringify(past));
  } catch {
    // A text near the storage quota is shown but not kept.
  }
  section.hidden = past.length === 0;
  section.querySelector("ol").replaceChildren(...past.map(({ values, title, tag, tone }) => {
    const item = byId("past").content.cloneNode(true);
    item.querySelector(".text").textContent = title.slice(0, 200);
    item.querySelector(".tag").textContent = tag;
    item.querySelector(".tag").dataset.label = tone;
    const button = item.querySelector("button");
    button.title = texts.history_again;
    button.addEventListener("click", () => again(values));
    return item;
  }));
}
