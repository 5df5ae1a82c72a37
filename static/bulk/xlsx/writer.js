// @ts-check
// A workbook of tables: a header that stays and filters, widths, numbers as numbers. Runs in a worker, and on node for the tests.
import { zipSync } from "../../vendor/fflate/browser.js";

/**
 * @typedef {object} SheetToWrite
 * @property {string} name
 * @property {(string | number)[][]} rows the first one is the header
 * @property {boolean} [filter] whether the header filters
 */

const LONGEST_CELL = 32_767; // characters; Excel calls a file with more damaged
const LONGEST_NAME = 31;
const NARROWEST = 6; // characters wide
const WIDEST = 60;
const MEASURED = 200; // rows
const DECLARATION = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n';
const MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"';
const OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
const PACKAGE = "http://schemas.openxmlformats.org/package/2006";
const TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml";

const encoder = new TextEncoder();
const bytesOf = (/** @type {string} */ text) => encoder.encode(text);

const MARKUP = /[&<>"]/g;
const ENTITIES = /** @type {Record<string, string>} */ ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" });
// eslint-disable-next-line no-control-regex -- XML cannot hold these
const FORBIDDEN = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|_(?=x[\da-fA-F]{4}_)/g;

const escaped = (/** @type {string} */ text) =>
  text.toWellFormed().replace(FORBIDDEN, (one) => `_x${one.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")}_`)
    .replace(MARKUP, (one) => ENTITIES[one]).replaceAll("\r", "&#13;"); // a plain one would be read as a line end

/**
 * A1's letters of a column, from 0.
 * @param {number} place
 * @returns {string}
 */
const lettersOf = (place) => (place < 26 ? "" : lettersOf(Math.floor(place / 26) - 1)) + String.fromCharCode(65 + (place % 26));

/** @param {string} text */
const widthOf = (text) => [...text.slice(0, WIDEST)].reduce((sum, one) => sum + (one > "\u2e80" ? 2 : 1), 0);

/** @param {SheetToWrite} sheet */
function sheetXml({ rows, filter }) {
  const [header] = rows;
  const widths = header.map((_, place) => {
    const widest = rows.slice(0, MEASURED).reduce((most, cells) => Math.max(most, widthOf(String(cells[place] ?? ""))), 0);
    return Math.min(Math.max(widest + 2, NARROWEST), WIDEST);
  });
  const end = `${lettersOf(Math.max(header.length, 1) - 1)}${rows.length}`;
  const parts = [
    `${DECLARATION}<worksheet ${MAIN}><dimension ref="A1:${end}"/><sheetViews><sheetView workbookViewId="0">`,
    '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews><cols>',
    ...widths.map((width, i) => `<col min="${i + 1}" max="${i + 1}" width="${width}" customWidth="1"/>`),
    "</cols><sheetData>",
  ];
  rows.forEach((cells, row) => {
    const written = cells.map((cell, place) => {
      const reference = `${lettersOf(place)}${row + 1}`;
      if (typeof cell === "number") return `<c r="${reference}"><v>${cell}</v></c>`;
      if (!cell) return "";
      const text = escaped(cell.slice(0, LONGEST_CELL));
      return `<c r="${reference}" s="${row ? 2 : 1}" t="inlineStr"><is><t xml:space="preserve">${text}</t></is></c>`;
    });
    parts.push(`<row r="${row + 1}">${written.join("")}</row>`);
  });
  parts.push("</sheetData>", filter ? `<autoFilter ref="A1:${end}"/>` : "", "</worksheet>");
  return parts.join("");
}

// The header is bold; all texts are of the format "text", so that Excel does not make numbers or formulas of them when they are edited.
const STYLES = `${DECLARATION}<styleSheet ${MAIN}><fonts count="2"><font><sz val="11"/><name val="Calibri"/></font><font><b/><sz val="11"/><name val="Calibri"/></font></fonts>\
<fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill></fills><borders count="1"><border/></borders>\
<cellStyleXfs count="1"><xf/></cellStyleXfs><cellXfs count="3"><xf/><xf fontId="1" applyFont="1"/><xf numFmtId="49" applyNumberFormat="1"/></cellXfs>
<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>`;

/**
 * Names that Excel takes, each once.
 * @param {string[]} given
 */
function sheetNames(given) {
  /** @type {string[]} */
  const names = [];
  for (const one of given) {
    const plain = one.replace(/[[\]:*?/\\]/g, " ").slice(0, LONGEST_NAME - 3).trim() || "Sheet";
    let name = plain;
    for (let number = 2; names.some((other) => other.toLowerCase() === name.toLowerCase()); number += 1) name = `${plain} ${number}`;
    names.push(name);
  }
  return names;
}

/**
 * The bytes of an XLSX file.
 * @param {SheetToWrite[]} sheets
 */
export function writeWorkbook(sheets) {
  const names = sheetNames(sheets.map(({ name }) => name));
  const paths = sheets.map((_, i) => `worksheets/sheet${i + 1}.xml`);
  const filters = sheets.map(({ filter, rows: [header, ...rest] }, i) => filter
    ? `<definedName name="_xlnm._FilterDatabase" localSheetId="${i}" hidden="1">'${escaped(names[i].replaceAll("'", "''"))}'!$A$1:$${lettersOf(header.length - 1)}$${rest.length + 1}</definedName>`
    : "").join("");
  const book = `${DECLARATION}<workbook ${MAIN} xmlns:r="${OFFICE}"><sheets>${
    names.map((name, i) => `<sheet name="${escaped(name)}" sheetId="${i + 1}" r:id="rId${i + 1}"/>`).join("")
  }</sheets>${filters && `<definedNames>${filters}</definedNames>`}</workbook>`;
  const relation = (/** @type {string} */ id, /** @type {string} */ kind, /** @type {string} */ target) =>
    `<Relationship Id="${id}" Type="${OFFICE}/${kind}" Target="${target}"/>`;
  const relations = (/** @type {string[]} */ all) => `${DECLARATION}<Relationships xmlns="${PACKAGE}/relationships">${all.join("")}</Relationships>`;
  const override = (/** @type {string} */ path, /** @type {string} */ kind) => `<Override PartName="/xl/${path}" ContentType="${TYPE}.${kind}+xml"/>`;
  const types = `${DECLARATION}<Types xmlns="${PACKAGE}/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>${
    [override("workbook.xml", "sheet.main"), override("styles.xml", "styles"), ...paths.map((path) => override(path, "worksheet"))].join("")
  }</Types>`;
  return /** @type {Uint8Array} */ (zipSync({
    "[Content_Types].xml": bytesOf(types),
    "_rels/.rels": bytesOf(relations([relation("rId1", "officeDocument", "xl/workbook.xml")])),
    "xl/workbook.xml": bytesOf(book),
    "xl/_rels/workbook.xml.rels": bytesOf(relations([
      ...paths.map((path, i) => relation(`rId${i + 1}`, "worksheet", path)), relation(`rId${paths.length + 1}`, "styles", "styles.xml"),
    ])),
    "xl/styles.xml": bytesOf(STYLES),
    ...Object.fromEntries(sheets.map((sheet, i) => [`xl/${paths[i]}`, bytesOf(sheetXml(sheet))])),
  }, {}));
}
