// @ts-check
// Lists of scores: the script's side of `bar` and `ranked` in templates/parts.html.
import { partOf, percent } from "./page.js";

/**
 * Fills a list of a card with copies of its first row: `fill(row, item)` for each item.
 * @template Item
 * @template {Element} [Row=HTMLElement]
 * @param {Element} list
 * @param {Item[]} items
 * @param {(row: Row, item: Item, place: number) => void} fill
 */
export function fillRows(list, items, fill) {
  const blank = /** @type {Row} */ (list.firstElementChild);
  list.replaceChildren(...items.map((item, i) => {
    const row = /** @type {Row} */ (blank.cloneNode(true));
    fill(row, item, i);
    return row;
  }));
}

/**
 * A row's score; `name` is what it is a score of, where the template did not say.
 * @param {HTMLElement} row
 * @param {number} value
 * @param {string} [name]
 */
export function fillScore(row, value, name) {
  partOf(row, ".percent").textContent = percent(value);
  const meter = partOf(row, "meter", HTMLMeterElement);
  meter.value = value;
  meter.textContent = percent(value);
  meter.ariaValueText = percent(value);
  if (name) meter.ariaLabel = name;
}

/**
 * @param {HTMLElement} row
 * @param {string} label
 * @param {string} name
 * @param {number} value
 */
export function fillBar(row, label, name, value) {
  row.dataset.label = label;
  partOf(row, ".name").textContent = name;
  fillScore(row, value, name);
}

/**
 * @param {HTMLElement} row
 * @param {string} tone
 * @param {string} text
 * @param {number} value
 * @param {string} note
 */
export function fillRanked(row, tone, text, value, note) {
  row.dataset.label = tone;
  partOf(row, ".text").textContent = text;
  partOf(row, ".note").textContent = note;
  fillScore(row, value);
}

/**
 * The large line above the rows.
 * @param {ParentNode} card
 * @param {string} tone
 * @param {string} title
 * @param {string} what
 * @param {number} [score]
 */
export function fillVerdict(card, tone, title, what, score) {
  const verdict = partOf(card, ".verdict");
  verdict.dataset.label = tone;
  partOf(verdict, "strong").textContent = title;
  partOf(verdict, ".what").textContent = what;
  partOf(verdict, "b").textContent = score === undefined ? "" : percent(score);
}
