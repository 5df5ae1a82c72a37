// @ts-check
// The first rows of a file, what was found out about it, and what of that can be put right.
import { byId, filled, texts } from "../page.js";
import { whole } from "../status/format.js";
import { written } from "./cell.js";

const ROWS = 5;
const HEADERS = 12; // rows that can be named the header
const LONGEST = 80; // characters of a cell

const cut = (/** @type {string} */ text, longest = LONGEST) => (text.length > longest ? `${text.slice(0, longest)}…` : text);

/**
 * @param {"th" | "td"} kind
 * @param {string[]} values
 */
function cells(kind, values) {
  const row = document.createElement("tr");
  row.append(...values.map((value) => {
    const cell = document.createElement(kind);
    if (cell instanceof HTMLTableCellElement && kind === "th") cell.scope = "col";
    cell.textContent = cut(value);
    return cell;
  }));
  return row;
}

/**
 * @param {string} id of the select's box
 * @param {[string, string][]} options value and name; none hides it
 * @param {string} value
 */
function pick(id, options, value) {
  const select = byId(id);
  select.parentElement.hidden = options.length < 2;
  select.replaceChildren(...options.map(([one, name]) => new Option(name, one)));
  select.value = value;
}

/**
 * @param {import("./table.js").Source[]} sources
 * @param {number} at the one that can be put right
 * @param {import("./table.js").How} how it was read, where that was said
 */
function fillPickers(sources, at, how) {
  const { facts: { sheets = [], sheet = "", encoding, broken }, grid = [], header } = sources[at];
  pick("source", sources.map(({ name }, i) => [String(i), name]), String(at));
  pick("sheet", sheets.map(({ name, hidden }) => [name, hidden ? filled(texts.hidden_sheet, { name }) : name]), sheet);
  const headers = grid.slice(0, HEADERS).map((row, i) => /** @type {[string, string]} */ (
    [String(i), filled(texts.header_row, { number: i + 1, text: cut(row.filter((cell) => cell.trim()).join(" · "), 40) })]));
  pick("header", headers.length ? [...headers, ["-1", texts.no_header]] : [], String(header));
  const known = Object.entries(/** @type {Record<string, string>} */ (texts.encodings));
  pick("encoding", encoding ? known.map(([id, name]) => [id, id === "auto" ? filled(name, { encoding: encoding.toUpperCase() }) : name]) : [], how.encoding ?? "auto");
  byId("no-quotes").checked = how.quotes === false;
  byId("no-quotes").parentElement.hidden = !(broken || how.quotes === false);
}

/**
 * What is doubtful in a file.
 * @param {import("./table.js").Facts} facts
 * @returns {string[]}
 */
const doubtsOf = ({ damaged, broken, uncomputed }) => [
  ...(uncomputed ? [filled(texts.uncomputed, { count: whole(uncomputed) })] : []),
  ...(damaged ? [texts.damaged] : []),
  ...(broken ? [filled(broken.line ? texts.broken_at : texts.broken, { line: whole(broken.line), rows: whole(broken.rows) })] : []),
];

/**
 * Fills the table of the preview with the first rows of a file, and says what the files are below it.
 * @param {import("./table.js").Source[]} sources
 * @param {{ columns: string[], rows: unknown[][], starts?: number[] }} read all of them
 * @param {number} at
 * @param {import("./table.js").How} [how]
 */
export function fillPreview(sources, { columns, rows, starts = [0] }, at, how = {}) {
  const box = byId("preview");
  const table = box.querySelector("table");
  table.tHead.replaceChildren(cells("th", columns));
  const first = rows.slice(starts[at], starts[at + 1]).slice(0, ROWS);
  table.tBodies[0].replaceChildren(...first.map((row) => cells("td", columns.map((_, place) => written(row[place])))));
  fillPickers(sources, at, how);
  const name = sources.map((one) => one.name).join(texts.comma);
  box.querySelector(".facts").textContent = filled(texts.file_facts, { name, rows: whole(rows.length), columns: whole(columns.length) });
  const doubts = sources.flatMap((one) => doubtsOf(one.facts).map((doubt) => (sources.length > 1 ? `${one.name}${texts.colon}${doubt}` : doubt)));
  box.querySelector(".doubts").textContent = doubts.join(" ");
}
