// @ts-check
// Files as a table: names of columns, rows of cells, and what is wrong with which row.
import { readDelimited } from "./delimited.js";
import { readText } from "./encoding.js";
import { findHeader } from "./header.js";
import { readJsonLines } from "./json_lines.js";
import { readWorkbook } from "./workbook.js";

const MOST_MB = 256; // a browser's strings end at 512 million characters

/** @typedef {{ kind: string, [value: string]: string | number }} Reason why a row cannot be scored, by its name in the texts */
/**
 * @typedef {object} Facts what was found out about a file
 * @property {string} [encoding]
 * @property {boolean} [damaged]
 * @property {{ line: number, rows: number } | null} [broken]
 * @property {string} [sheet]
 * @property {number} [uncomputed] formulas without a result
 * @property {{ name: string, hidden: boolean }[]} [sheets]
 */
/** @typedef {{ columns: string[], rows: unknown[][], faults: Map<number, Reason> }} Rows cells in the order of the columns, text but in JSON */
/**
 * @typedef {object} Source a file as it was read: lines of cells whose header is to be found, or a table
 * @property {string} name
 * @property {File} file
 * @property {string[][]} [grid]
 * @property {Rows} [table]
 * @property {number} header the row with the names, -1 where there is none
 * @property {Facts} facts
 */

/** @typedef {{ sheet?: string, encoding?: string, quotes?: boolean }} How a file is to be read, where that is not to be found out */

/** A file that cannot be read, by the name of the reason in the texts. */
export class Unreadable extends Error {
  /**
   * @param {string} kind
   * @param {string} [detail]
   */
  constructor(kind, detail = "") {
    super(detail);
    this.kind = kind;
  }
}

/**
 * Names of a header; one that occurs again gets a number, as on the command line.
 * @param {string[]} header
 */
export function allDifferent(header) {
  /** @type {Set<string>} */
  const names = new Set();
  for (const name of header) {
    let free = name;
    for (let number = 1; names.has(free); number += 1) free = `${name}.${number}`;
    names.add(free);
  }
  return [...names];
}

/** Takes objects, whose fields are the columns. */
class Objects {
  /** @type {string[]} */
  columns = [];
  /** @type {unknown[][]} */
  rows = [];
  /** @type {Map<number, Reason>} */
  faults = new Map();
  /** @type {Map<string, number>} */
  #places = new Map();

  /**
   * @param {Record<string, unknown>} object
   * @param {Reason | null} fault
   */
  take = (object, fault) => {
    /** @type {unknown[]} */
    const cells = [];
    for (const [name, value] of Object.entries(object)) {
      const place = this.#places.get(name) ?? this.columns.push(name) - 1;
      this.#places.set(name, place);
      cells[place] = value;
    }
    if (fault) this.faults.set(this.rows.length, fault);
    this.rows.push(cells);
  };
}

/**
 * @param {File} file
 * @param {How} how
 * @returns {Promise<Pick<Source, "grid" | "table" | "facts">>}
 */
async function readWith(file, { sheet, encoding: wanted, quotes }) {
  const name = file.name.toLowerCase();
  const isZip = (await file.slice(0, 4).text()) === "PK\x03\x04";
  if (isZip || /\.xls[xm]$/.test(name)) {
    if (!isZip) throw new Unreadable(file.size ? "no_workbook" : "empty_file");
    const { grid, ...facts } = await readWorkbook(file, sheet);
    return { grid: grid.filter((cells) => cells.some((cell) => cell)), facts };
  }
  const { text, encoding, damaged } = await readText(file, wanted);
  if (/\.(jsonl|ndjson)$/.test(name)) {
    const table = new Objects();
    await readJsonLines(text, table.take);
    return { table, facts: { encoding, damaged } };
  }
  const { grid, broken } = await readDelimited(text, { tabs: /\.ts?ab?$|\.tsv$/.test(name), quotes });
  return { grid, facts: { encoding, damaged, broken } };
}

/**
 * Reads a file. Throws Unreadable.
 * @param {File} file
 * @param {How} [how] where it is not to be found out
 * @returns {Promise<Source>}
 */
export async function readFile(file, how = {}) {
  if (!/\.(csv|tsv|tab|txt|jsonl|ndjson|xlsx|xlsm)$/i.test(file.name)) throw new Unreadable("unknown_format");
  if (file.size > MOST_MB * 2 ** 20) throw new Unreadable("file_too_large");
  let read;
  try {
    read = await readWith(file, how);
  } catch (error) {
    if (error instanceof Unreadable) throw error;
    throw new Unreadable("unreadable_file", /** @type {Error} */ (error).message);
  }
  return { name: file.name, file, ...read, header: read.grid ? findHeader(read.grid) : -1 };
}

/**
 * The rows below a header. Missing cells are empty; surplus ones are ignored where they are empty, and a fault of the row else.
 * @param {string[][]} grid
 * @param {number} header
 * @param {(number: number) => string} nameOf a column without a name
 * @returns {Rows}
 */
export function rowsBelow(grid, header, nameOf) {
  const body = grid.slice(header + 1);
  const widthOf = (/** @type {string[]} */ cells) => cells.findLastIndex((cell) => cell.trim()) + 1;
  const used = body.reduce((most, cells) => Math.max(most, widthOf(cells)), 0);
  // A column at the end without a name is one where there is a cell in it.
  const width = header < 0 ? used : Math.max(widthOf(grid[header]), Math.min(used, grid[header].length));
  const names = Array.from({ length: width }, (_, place) => (header < 0 ? "" : grid[header][place] ?? "").trim() || nameOf(place + 1));
  /** @type {Map<number, Reason>} */
  const faults = new Map();
  /** @type {string[][]} */
  const rows = [];
  for (const cells of body) {
    const filled = widthOf(cells);
    // An empty line is a row only where a row is one cell.
    if (width > 1 && cells.length <= 1 && !filled) continue;
    if (filled > width) faults.set(rows.length, { kind: "too_many_cells", cells: filled, width });
    rows.push(cells.length === width ? cells : Array.from({ length: width }, (_, place) => cells[place] ?? ""));
  }
  return { columns: allDifferent(names), rows, faults };
}

/**
 * The rows of all sources below each other; columns of the same name are one. Where there are several sources, a column says which.
 * @param {Source[]} sources
 * @param {{ nameOf: (number: number) => string, source: string }} words
 * @returns {Rows & { facts: Facts, starts: number[] }} `starts`: the first row of each source
 */
export function tableOf(sources, { nameOf, source }) {
  const tables = sources.map((one) => one.table ?? rowsBelow(one.grid ?? [], one.header, nameOf));
  const facts = { ...sources[0].facts, damaged: sources.some((one) => one.facts.damaged) };
  if (tables.length === 1) return { ...tables[0], facts, starts: [0] };
  const columns = [...new Set(tables.flatMap((one) => one.columns))];
  const [file] = allDifferent([...columns, source]).slice(-1);
  /** @type {unknown[][]} */
  const rows = [];
  /** @type {Map<number, Reason>} */
  const faults = new Map();
  /** @type {number[]} */
  const starts = [];
  tables.forEach((one, i) => {
    starts.push(rows.length);
    const places = one.columns.map((name) => columns.indexOf(name));
    one.rows.forEach((cells, row) => {
      const fault = one.faults.get(row);
      if (fault) faults.set(rows.length, fault);
      /** @type {unknown[]} */
      const all = Array(columns.length + 1).fill("");
      cells.forEach((cell, place) => { all[places[place]] = cell; });
      all[columns.length] = sources[i].name;
      rows.push(all);
    });
  });
  return { columns: [...columns, file], rows, faults, facts, starts };
}
