// The first rows of a file, and what was found out about it.
import { filled, texts } from "../page.js";
import { whole } from "../status/format.js";
import { written } from "./table.js";

const ROWS = 5;
const LONGEST = 80; // characters of a cell

const cut = (text) => (text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text);

function cells(kind, values) {
  const row = document.createElement("tr");
  row.append(...values.map((value) => {
    const cell = document.createElement(kind);
    if (kind === "th") cell.scope = "col";
    cell.textContent = cut(value);
    return cell;
  }));
  return row;
}

/** Fills the table of `box`, and says what the file is below it. */
export function fillPreview(box, name, { columns, rows, facts }) {
  const table = box.querySelector("table");
  table.tHead.replaceChildren(cells("th", columns));
  table.tBodies[0].replaceChildren(...rows.slice(0, ROWS).map((row) => cells("td", columns.map((_, place) => written(row[place])))));
  const said = [filled(texts.file_facts, { name, rows: whole(rows.length), columns: whole(columns.length) })];
  if (facts.encoding) said.push(filled(texts.encoding, { encoding: facts.encoding.toUpperCase() }));
  if (facts.sheet) said.push(filled(facts.others ? texts.sheet_of_several : texts.sheet, facts));
  box.querySelector(".facts").textContent = said.join(" ");
  const doubts = [facts.damaged && texts.damaged, facts.broken && texts.broken].filter(Boolean);
  box.querySelector(".doubts").textContent = doubts.join(" ");
}
