// @ts-check
// Which number formats show a date, and a serial number as that date. ECMA-376 part 1, 18.8.30 and 18.17.4.
const SECONDS = 86_400; // of a day
const BUILT_IN_DATES = new Map([
  ...[14, 15, 16, 17, 27, 28, 29, 30, 31, 36, 50, 51, 52, 53, 54, 57, 58].map((id) => /** @type {const} */ ([id, "date"])),
  ...[18, 19, 20, 21, 32, 33, 34, 35, 45, 47, 55, 56].map((id) => /** @type {const} */ ([id, "time"])),
  /** @type {const} */ ([22, "date time"]),
  /** @type {const} */ ([46, "elapsed"]),
]);
// What stands for itself: quoted, escaped, padding, colours and locales in brackets (but not [h], [mm], [s]).
const LITERAL = /"[^"]*"|\\.|_.|\*.|\[(?!(?:h+|m+|s+)\])[^\]]*\]/gi;
const HALF_OF_DAY = /am\/pm|a\/p|上午\/下午/gi;

/** @typedef {"date" | "time" | "date time" | "elapsed" | ""} Kind what a format shows; "" is a number */

/**
 * @param {number} id of the format
 * @param {string | undefined} code where the workbook has one of its own
 * @returns {Kind}
 */
export function kindOfFormat(id, code) {
  if (code === undefined) return BUILT_IN_DATES.get(id) ?? "";
  const [positive] = code.replace(LITERAL, "").split(";");
  if (/general|[0#?]|@/i.test(positive.replace(/\.0+/g, ""))) return ""; // ss.000 has digits of a second
  if (/\[(?:h+|m+|s+)\]/i.test(positive)) return "elapsed";
  const clock = /[hs]/i.test(positive) || HALF_OF_DAY.test(positive);
  // Beside hours or seconds, and with no day or year, m is a minute. g and e are an era and its year, a a weekday, b a Buddhist year.
  const calendar = /[ydegb]|aaa/i.test(positive.replace(HALF_OF_DAY, "")) || (!clock && /m/i.test(positive));
  return calendar ? (clock ? "date time" : "date") : clock ? "time" : "";
}

const two = (/** @type {number} */ value) => String(value).padStart(2, "0");

/** @param {number} seconds */
const clockOf = (seconds) => `${two(Math.floor(seconds / 3600))}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;

/**
 * A serial number as text: `2026-01-02`, with a time where it has one, or `08:30:00`. A serial is a float: it is rounded to the
 * second, as a sheet shows it. Numbers that are no date (negative, after 9999) stay numbers.
 * @param {number} serial
 * @param {Kind} kind
 * @param {boolean} since1904 whether day 0 is 1904-01-01
 */
export function dated(serial, kind, since1904) {
  const total = Math.round(serial * SECONDS);
  const seconds = total % SECONDS;
  let day = Math.floor(total / SECONDS);
  if (total < 0) return String(serial);
  if (kind === "elapsed") return clockOf(total);
  if (day === 0 && (kind === "time" || seconds)) return clockOf(seconds);
  if (since1904) day += 1462;
  else if (day === 60) return withClock("1900-02-29", seconds); // Excel's year 1900 has a day too many
  else if (day < 60) day += 1;
  const date = new Date((day - 25_569) * SECONDS * 1000);
  return date.getUTCFullYear() > 9999 ? String(serial) : withClock(date.toISOString().slice(0, 10), seconds);
}

/**
 * @param {string} date
 * @param {number} seconds
 */
const withClock = (date, seconds) => (seconds ? `${date} ${clockOf(seconds)}` : date);

/**
 * A cell that holds a date in ISO 8601, as it stands there: no time zone moves it.
 * @param {string} value
 */
export function isoDated(value) {
  const found = /^(?:([+-]?\d{4,}-\d\d-\d\d))?T?(?:(\d\d:\d\d(?::\d\d)?)(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)?)?$/.exec(value.trim());
  if (!found || !(found[1] || found[2])) return value;
  const [, date, time] = found;
  const clock = time?.length === 5 ? `${time}:00` : time;
  if (!date) return clock;
  return clock && clock !== "00:00:00" ? `${date} ${clock}` : date;
}
