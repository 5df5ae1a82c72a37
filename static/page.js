// What the server wrote into the page for the scripts.
export const byId = (id) => document.getElementById(id);
export const form = byId("form");
export const texts = JSON.parse(form.dataset.texts);
export const limits = JSON.parse(form.dataset.limits);
export const endpoint = new URL(form.dataset.api, location.href);

/** Puts values in the places of a text: {ms} and the like. */
export const filled = (text, values) => text.replace(/\{(\w+)\}/g, (place, name) => values[name] ?? place);
export const percent = (value) => `${(value * 100).toFixed(1)}%`;
