// @ts-check
// The API key that the visitor has given this tab. It goes with every question, beside what the browser sends by itself.
import { byId, texts } from "./page.js";

const STORE = "structbert-key";
const box = byId("key");

/**
 * The headers that carry the key; none where there is no key.
 * @returns {Record<string, string>}
 */
export function keyHeaders() {
  const key = sessionStorage.getItem(STORE);
  return key ? { "X-API-Key": key } : {};
}

/** What a header can carry; anything else is no key. */
export const isKey = (/** @type {string} */ text) => /^[!-~]+$/.test(text);

/** Opens the field for the key, where the page has one. */
export function askForKey() {
  if (!box) return;
  box.open = true;
  byId("key-field").focus();
}

if (box) {
  const said = box.querySelector("[role=status]");
  box.hidden = false;
  box.querySelector("form").addEventListener("submit", (/** @type {Event} */ event) => {
    event.preventDefault();
    const key = byId("key-field").value.trim();
    if (!isKey(key)) {
      said.textContent = texts.key.unusable;
      return;
    }
    sessionStorage.setItem(STORE, key);
    byId("key-field").value = "";
    said.textContent = texts.key.used;
  });
  box.querySelector(".quiet").addEventListener("click", () => {
    sessionStorage.removeItem(STORE);
    said.textContent = texts.key.forgotten;
  });
}
