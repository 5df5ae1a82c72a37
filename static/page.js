// @ts-check
// What the server wrote into the page for the scripts.
/** @type {(id: string) => any} an element; what kind of one, the template knows */
export const byId = (id) => document.getElementById(id);

/**
 * The part of `root` that `selector` names, of a kind that is said where it is no element of HTML. The templates have it.
 * @template {Element} [Kind=HTMLElement]
 * @param {ParentNode} root
 * @param {string} selector
 * @param {new () => Kind} kind
 */
export function partOf(root, selector, kind = /** @type {new () => Kind} */ (/** @type {unknown} */ (HTMLElement))) {
  const part = root.querySelector(selector);
  if (!(part instanceof kind)) throw new TypeError(`no ${kind.name} is at ${selector}`);
  return part;
}

export const texts = JSON.parse(document.body.dataset.texts ?? "{}");
export const limits = JSON.parse(document.body.dataset.limits ?? "{}");
// A panel's own; other pages have no such form.
export const form = byId("form");
export const endpoint = form && new URL(form.dataset.api, location.href);

/**
 * Puts values in the places of a text: {ms} and the like; {count|row|rows} is the word for one or for several.
 * @param {string} text
 * @param {Record<string, any>} values
 */
export const filled = (text, values) => text.replace(/\{(\w+)(?:\|([^|{}]*)\|([^|{}]*))?\}/g, (place, name, one, several) => {
  const value = values[name];
  if (value === undefined || value === null) return place;
  return one === undefined ? String(value) : String(value) === "1" ? one : several;
});
export const percent = (/** @type {number} */ value) => `${(value * 100).toFixed(1)}%`;
