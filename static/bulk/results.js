// What came of each row, what it adds up to, and the file that is made of it.
import { breathe } from "./breathe.js";
import { written } from "./table.js";

const BINS = 10;
const AT_ONCE = 2000; // rows between two pauses
const LINE_END = "\r\n";
const BYTE_ORDER_MARK = "\ufeff"; // without it Excel reads Chinese as something else

const quoted = (cell) => (/[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell);
const line = (cells) => cells.map(quoted).join(",") + LINE_END;

/** Results of `rows` rows; `columns` are the new ones, in front of `truncated` and `error`. */
export class Results {
  done = 0;
  errors = 0;
  truncated = 0;
  bins = new Array(BINS).fill(0);
  #found;

  constructor(rows, columns, groups) {
    this.columns = [...columns, "truncated", "error"];
    this.counts = new Map(groups.map((group) => [group, 0]));
    this.#found = new Array(rows);
  }

  get scored() {
    return this.done - this.errors;
  }

  /** A row's new cells, the group that it is counted in, and its score. */
  set(row, cells, truncated, group, score) {
    this.#settle(row, [...cells, String(truncated), ""]);
    this.truncated += truncated;
    this.counts.set(group, (this.counts.get(group) ?? 0) + 1);
    this.bins[Math.min(Math.floor(score * BINS), BINS - 1)] += 1;
  }

  fail(row, reason) {
    this.#settle(row, [...new Array(this.columns.length - 1).fill(""), reason]);
    this.errors += 1;
  }

  #settle(row, cells) {
    if (this.#found[row]) throw new Error(`row ${row} was settled before`);
    this.#found[row] = cells;
    this.done += 1;
  }

  /** CSV in UTF-8, the rows that are done in their order, as a Blob. */
  async csv({ columns, rows }, prefix) {
    const parts = [BYTE_ORDER_MARK + line([...columns, ...this.columns.map((name) => prefix + name)])];
    for (let at = 0; at < rows.length; at += AT_ONCE) {
      let part = "";
      for (let row = at; row < Math.min(at + AT_ONCE, rows.length); row += 1) {
        const found = this.#found[row];
        if (found) part += line([...columns.map((_, place) => written(rows[row][place])), ...found]);
      }
      parts.push(part);
      await breathe();
    }
    return new Blob(parts, { type: "text/csv;charset=utf-8" });
  }
}
