// @ts-check
// Lists of scores: the script's side of `bar` and `ranked` in templates/parts.html.
import { percent } from "./page.js";

/**
 * Fills a list of a card with copies of its first row: `fill(row, item)` for each item.
 * @template Item
 * @param {Element} list
 * @param {Item[]} items
 * @param {(row: any, item: Item, place: number) => void} fill
 */
export function fillRows(list, items, fill) {
  const blank = /** @type {Element} */ (list.firstElementChild);
  list.replaceChildren(...items.map((item, i) => {
    const row = blank.cloneNode(true);
    fill(row, item, i);
    return row;
  }));
}

/**
 * A row's score; `name` is what it is a score of, where the template did not say.
 * @param {any} row
 * @param {number} value
 * @param {string} [name]
 */
export function fillScore(row, value, name) {
  row.querySelector(".percent").textContent = percent(value);
  const meter = row.querySelector("meter");
  meter.value = value;
  meter.textContent = percent(value);
  meter.ariaValueText = percent(value);
  if (name) meter.ariaLabel = name;
}

/**
 * @param {any} row
 * @param {string} label
 * @param {string} name
 * @param {number} value
 */
export function fillBar(row, label, name, value) {
  row.dataset.label = label;
  row.querySelector(".name").textContent = name;
  fillScore(row, value, name);
}

/**
 * @param {any} row
 * @param {string} tone
 * @param {string} text
 * @param {number} value
 * @param {string} note
 */
export function fillRanked(row, tone, text, value, note) {
  row.dataset.label = tone;
  row.querySelector(".text").textContent = text;
  row.querySelector(".note").textContent = note;
  fillScore(row, value);
}

/**
 * The large line above the rows.
 * @param {any} card
 * @param {string} tone
 * @param {string} title
 * @param {string} what
 * @param {number} [score]
 */
export function fillVerdict(card, tone, title, what, score) {
  const verdict = card.querySelector(".verdict");
  verdict.dataset.label = tone;
  verdict.querySelector("strong").textContent = title;
  verdict.querySelector(".what").textContent = what;
  verdict.querySelector("b").textContent = score === undefined ? "" : percent(score);
}
