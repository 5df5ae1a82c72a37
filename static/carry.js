// @ts-check
// What was typed survives the change of language, which loads the page anew.
import { read, write } from "./fields.js";
import { byId } from "./page.js";

const STORE = `structbert-lite-carried ${location.pathname}`;

/** Brings back what was carried over, once, and carries over at the next change. */
export function carry() {
  const carried = sessionStorage.getItem(STORE);
  sessionStorage.removeItem(STORE);
  if (carried) write(JSON.parse(carried));
  byId("language").addEventListener("click", () => {
    try {
      sessionStorage.setItem(STORE, JSON.stringify(read()));
    } catch {
      // A text over the storage quota has to be pasted again.
    }
  });
}
