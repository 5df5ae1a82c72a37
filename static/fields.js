// @ts-check
// The form's fields as plain values: texts, and true or false for a box.
import { byId, filled, form, texts } from "./page.js";

/** @typedef {Record<string, any>} Values of a form by name: texts, and true or false for a box */

/** @type {any[]} */
const controls = [...form.elements].filter((control) => control.name);
const changes = ["input", "change"];

/** What stands on the page for a field that a script has hidden: `data-shown` has its id. */
const seen = (/** @type {any} */ control) => byId(control.dataset.shown) ?? control;

/** What the visitor has put in. */
export const read = () => /** @type {Values} */ (
  Object.fromEntries(controls.map((control) => [control.name, control.type === "checkbox" ? control.checked : control.value])));

/** @param {Values} values */
export function write(values) {
  for (const control of controls) {
    if ("keep" in control.dataset && !(control.name in values)) continue; // an example says nothing of it
    if (control.type === "checkbox") control.checked = Boolean(values[control.name]);
    else control.value = values[control.name] ?? "";
    control.dispatchEvent(new Event("change"));
  }
}

/** The name of the first field that must not be blank and is. */
export const blank = () => controls.find((control) => control.ariaRequired === "true" && !control.value.trim())?.name;

/**
 * Marks the field at fault, and no other.
 * @param {string} name
 */
export function mark(name) {
  for (const control of controls) seen(control).ariaInvalid = String(control.name === name);
  const control = name && form.elements[name];
  const folded = control?.closest?.("details");
  if (folded) folded.open = true;
  if (control) seen(control).focus();
}

/**
 * Calls `show(text)` now and whenever the text of the field `name` is another one.
 * @param {string} name
 * @param {(text: string) => void} show
 */
export function follow(name, show) {
  const control = form.elements[name];
  for (const kind of changes) control.addEventListener(kind, () => show(control.value));
  show(control.value);
}

/**
 * Says below the field `name` how many of `split(text)` there are, cells or texts, and how many are blank.
 * @param {string} name
 * @param {(text: string) => string[]} split
 */
export function count(name, split) {
  const said = byId(`${name}-count`);
  const tell = (/** @type {string} */ text) => {
    const cells = split(text);
    const filledIn = cells.filter(Boolean).length;
    const blank = text.trimEnd() === "" ? 0 : cells.length - filledIn;
    said.textContent = filledIn ? filled(blank ? texts.counted_blank : texts.counted, { count: filledIn, blank }) : "";
  };
  follow(name, tell);
  return () => tell(form.elements[name].value);
}

/** The values behind a button of the examples. */
export const example = (/** @type {HTMLButtonElement} */ button) => /** @type {Values} */ (Object.fromEntries(new FormData(/** @type {HTMLFormElement} */ (button.form), button)));
export const firstExample = () => example(byId("examples").querySelector("button"));
