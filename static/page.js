// @ts-check
// What the server wrote into the page for the scripts.
/** @type {(id: string) => any} an element; what kind of one, the template knows */
export const byId = (id) => document.getElementById(id);
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
