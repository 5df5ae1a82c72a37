// What was asked before. It lives in this tab only and goes when the tab is closed.
import { byId, endpoint, form, texts } from "./page.js";

const KEPT = 8;
const STORE = `structbert-lite-past ${texts.lang} ${endpoint.pathname}`; // a tag is in the language of its page
const section = byId("history");
let past = JSON.parse(sessionStorage.getItem(STORE) ?? "[]");
let again = () => {};

/** Shows the history; `retry(values)` is called for a click on an entry. */
export function startHistory(retry) {
  again = retry;
  byId("forget").addEventListener("click", () => {
    past = [];
    show();
    form.elements[0].focus();
  });
  show();
}

/** An entry: the form's `values`, a `title`, a `tag` and the `tone` of the tag. */
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
