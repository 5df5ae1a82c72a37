// @ts-check
// Which of several models answers: the choice in a panel's form, what the page says of the model, what the browser keeps.
import { Fault } from "./api.js";
import { form } from "./page.js";

const YEAR = 365 * 24 * 3600;
// What the server wrote for one model: its heading, its answer's template with its name and thresholds, its licence.
const PARTS = ["main > header", "#answer", "footer"];
/** @type {HTMLSelectElement | null} */
const field = form?.elements.model ?? null;
/** The model that the page is written for. */
let written = [...(field?.options ?? [])].find((option) => option.defaultSelected)?.value ?? "";

/**
 * Keeps a choice for this browser, for `task` on every page. Empty: the default model, whichever that will be.
 * @param {string} task
 * @param {string} name
 */
export function keepModel(task, name) {
  document.cookie = `structbert-model-${task}=${encodeURIComponent(name)}; path=/; max-age=${name ? YEAR : 0}; samesite=lax`;
}

/**
 * Until the page is written for the chosen model. Throws a Fault where the server does not say how.
 * @returns {Promise<void>}
 */
export async function rewrite() {
  const wanted = field?.value ?? "";
  if (wanted === written) return;
  const address = new URL(location.href);
  address.searchParams.set("model", wanted);
  const response = await fetch(address).catch(() => null);
  if (!response?.ok) throw new Fault("unreachable");
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  if (field?.value !== wanted) {
    await rewrite();
    return;
  }
  for (const part of PARTS) {
    const fresh = page.querySelector(part);
    if (fresh) document.querySelector(part)?.replaceWith(fresh);
  }
  written = wanted;
}

field?.addEventListener("change", () => {
  keepModel(field.dataset.task ?? "", field.value);
  rewrite().catch(() => {}); // the next question tries again, and says what is wrong
});
