// @ts-check
// What the rows of a job add up to: copies, days, aspects.
import { dayOf } from "./column.js";

const DAYS = 62; // more are shown by week
const WEEKS = 60; // more are shown by month
const DAY_MS = 24 * 3600 * 1000;
const SAME = /[\s\p{P}\p{S}]+/gu; // what two copies may differ in

/**
 * Texts that stand there more than once, most often first.
 * @param {string[]} texts by row; "" is none
 */
export function copiesOf(texts) {
  /** @type {Map<string, number[]>} */
  const rows = new Map();
  texts.forEach((text, row) => {
    const key = text.replace(SAME, "").toLowerCase();
    if (!key) return;
    const found = rows.get(key);
    if (found) found.push(row);
    else rows.set(key, [row]);
  });
  return [...rows.values()].filter((all) => all.length > 1).sort((one, other) => other.length - one.length)
    .map((all) => ({ text: texts[all[0]], rows: all }));
}

/**
 * Rows by day, week or month, and in each by group; times between without rows are there with none.
 * @param {{ cell: unknown, group: string }[]} rows
 * @returns {{ unit: "day" | "week" | "month", times: { start: number, counts: Map<string, number> }[] }} `start` in milliseconds of the epoch
 */
export function byTime(rows) {
  const dated = rows.flatMap(({ cell, group }) => {
    const day = dayOf(cell);
    return day ? [{ at: Date.parse(day.length === 7 ? `${day}-01` : day), month: day.length === 7, group }] : [];
  }).filter(({ at }) => Number.isFinite(at));
  if (!dated.length) return { unit: "day", times: [] };
  const from = dated.reduce((least, { at }) => Math.min(least, at), Infinity);
  const to = dated.reduce((most, { at }) => Math.max(most, at), -Infinity);
  const days = (to - from) / DAY_MS + 1;
  const unit = dated.some(({ month }) => month) || days > WEEKS * 7 ? "month" : days > DAYS ? "week" : "day";
  /** @param {number} at */
  const startOf = (at) => {
    const date = new Date(at);
    if (unit === "month") return Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), 1);
    return unit === "week" ? at - ((date.getUTCDay() + 6) % 7) * DAY_MS : at; // weeks begin on Monday
  };
  /** @param {number} at */
  const after = (at) => {
    const date = new Date(at);
    return unit === "month" ? Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 1) : at + (unit === "week" ? 7 : 1) * DAY_MS;
  };
  /** @type {Map<number, Map<string, number>>} */
  const found = new Map();
  for (let at = startOf(from); at <= to; at = after(at)) found.set(at, new Map());
  for (const { at, group } of dated) {
    const counts = /** @type {Map<string, number>} */ (found.get(startOf(at)));
    counts.set(group, (counts.get(group) ?? 0) + 1);
  }
  return { unit, times: [...found].map(([start, counts]) => ({ start, counts })) };
}

/**
 * How often each aspect is named and how it is spoken of, most often named first; `rows` by polarity.
 * @param {Map<number, import("./results.js").Aspect[]>} aspects
 */
export function byAspect(aspects) {
  /** @type {Map<string, Record<string, number[]>>} */
  const found = new Map();
  for (const [row, all] of aspects) {
    for (const { aspect, polarity } of all) {
      const rows = found.get(aspect) ?? {};
      (rows[polarity] ??= []).push(row);
      found.set(aspect, rows);
    }
  }
  return [...found].map(([aspect, rows]) => ({ aspect, rows, named: Object.values(rows).reduce((sum, one) => sum + one.length, 0) }))
    .sort((one, other) => other.named - one.named);
}
