// A file as a table: names of columns, rows of cells, and what is wrong with which row.
import { readDelimited } from "./delimited.js";
import { readText } from "./encoding.js";
import { readJsonLines } from "./json_lines.js";
import { readWorkbook } from "./workbook.js";

const MOST_MB = 256; // a browser's strings end at 512 million characters

/** A file that cannot be read, by the name of the reason in the texts. */
export class Unreadable extends Error {
  constructor(kind, detail = "") {
    super(detail);
    this.kind = kind;
  }
}

/** Names of a header; one that occurs again gets a number, as on the command line. */
function allDifferent(header) {
  const names = [];
  for (const name of header) {
    let free = name;
    for (let number = 1; names.includes(free); number += 1) free = `${name}.${number}`;
    names.push(free);
  }
  return names;
}

/** Takes lines of cells, the first of which are the names. */
class Lines {
  columns = null;
  rows = [];
  faults = new Map();

  take = (cells) => {
    if (!this.columns) {
      this.columns = allDifferent(cells);
      return;
    }
    const width = this.columns.length;
    if (cells.length !== width) {
      // An empty line is a row only where a row is one cell.
      if (cells.length === 1 && cells[0] === "") return;
      this.faults.set(this.rows.length, `the row has ${cells.length} cells, the header has ${width}`);
      cells = cells.slice(0, width);
    }
    this.rows.push(cells);
  };
}

/** Takes objects, whose fields are the columns. */
class Objects {
  columns = [];
  rows = [];
  faults = new Map();
  #places = new Map();

  take = (object, fault) => {
    const cells = [];
    for (const [name, value] of Object.entries(object)) {
      if (!this.#places.has(name)) this.#places.set(name, this.columns.push(name) - 1);
      cells[this.#places.get(name)] = value;
    }
    if (fault) this.faults.set(this.rows.length, fault);
    this.rows.push(cells);
  };
}

async function readWith(name, file) {
  if (name.endsWith(".xlsx")) {
    const lines = new Lines();
    const { sheet, others } = await readWorkbook(file, (cells) => cells.some(Boolean) && lines.take(cells));
    return { table: lines, facts: { sheet, others } };
  }
  const { text, encoding, damaged } = await readText(file);
  if (/\.(jsonl|ndjson)$/.test(name)) {
    const objects = new Objects();
    await readJsonLines(text, objects.take);
    return { table: objects, facts: { encoding, damaged } };
  }
  const { lines, broken } = await readDelimited(text, () => new Lines(), name.endsWith(".tsv"));
  return { table: lines, facts: { encoding, damaged, broken } };
}

/**
 * {columns, rows, faults, facts}: `rows` are cells in the order of `columns`, text but in JSON; `faults` says of a row's
 * number why it cannot be scored; `facts`: encoding, damaged, broken, sheet, others. Throws Unreadable.
 */
export async function readTable(file) {
  const name = file.name.toLowerCase();
  if (!/\.(csv|tsv|txt|jsonl|ndjson|xlsx)$/.test(name)) throw new Unreadable("unknown_format");
  if (file.size > MOST_MB * 2 ** 20) throw new Unreadable("file_too_large");
  let read;
  try {
    read = await readWith(name, file);
  } catch (error) {
    throw new Unreadable("unreadable_file", error.message);
  }
  const { columns, rows, faults } = read.table;
  if (!columns?.length || !rows.length) throw new Unreadable("empty_file");
  return { columns, rows, faults, facts: read.facts };
}

/** A cell as it is written into a file. */
export function written(cell) {
  if (typeof cell === "string") return cell;
  return cell === undefined || cell === null ? "" : JSON.stringify(cell);
}
