// @ts-check
// Copying, with a way out where the browser has no clipboard.
import { texts } from "./page.js";

/**
 * Copies `text` and says so in `status`; or shows it, selected, in `pre`.
 * @param {string} text
 * @param {HTMLElement} pre
 * @param {HTMLElement} status
 */
export async function copy(text, pre, status) {
  try {
    // Browsers offer the clipboard to localhost and https pages alone.
    await navigator.clipboard.writeText(text);
    status.textContent = texts.copied;
    setTimeout(() => { if (status.textContent === texts.copied) status.textContent = ""; }, 3000);
  } catch {
    status.textContent = texts.copy_by_hand;
    pre.textContent = text;
    pre.hidden = false;
    getSelection()?.selectAllChildren(pre);
  }
}
