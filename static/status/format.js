// @ts-check
// Numbers as people read them.
import { texts } from "../page.js";

export const mb = (/** @type {number} */ bytes) => bytes / 2 ** 20;
export const whole = (/** @type {number} */ value) => value.toLocaleString(texts.lang, { maximumFractionDigits: 0 });

/** Three digits that count; a dash where there is no number. */
export const rounded = (/** @type {number | null} */ value) => (value === null ? "—" : value.toLocaleString(texts.lang, { maximumSignificantDigits: 3 }));
export const inMs = (/** @type {number | null} */ seconds) => (seconds === null ? "—" : `${rounded(seconds * 1000)} ms`);
