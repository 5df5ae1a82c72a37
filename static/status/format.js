// Numbers as people read them.
import { texts } from "../page.js";

export const mb = (bytes) => bytes / 2 ** 20;
export const whole = (value) => value.toLocaleString(texts.lang, { maximumFractionDigits: 0 });

/** Three digits that count; a dash where there is no number. */
export const rounded = (value) => (value === null ? "—" : value.toLocaleString(texts.lang, { maximumSignificantDigits: 3 }));
export const inMs = (seconds) => (seconds === null ? "—" : `${rounded(seconds * 1000)} ms`);
