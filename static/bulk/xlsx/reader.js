// @ts-check
// Sheets of an XLSX workbook as rows of text. Runs in a worker, and on node for the tests.
import { unzipSync } from "../../vendor/fflate/browser.js";
import { dated, isoDated, kindOfFormat } from "./number_format.js";
import { readXml } from "./xml.js";

/** @typedef {{ name: string, hidden: boolean, path: string, uncomputed?: number }} Sheet `uncomputed`: formulas without a result, once it was read */

const ESCAPED = /_x([\da-f]{4})_/gi; // ECMA-376, ST_Xstring: characters that XML cannot hold
const unescaped = (/** @type {string} */ text) => text.replace(ESCAPED, (_, code) => String.fromCharCode(parseInt(code, 16)));

/**
 * A1's column as a number from 0; -1 where there is no reference.
 * @param {string | undefined} reference
 */
function columnOf(reference) {
  let column = 0;
  for (const letter of reference ?? "") {
    const value = letter.toUpperCase().charCodeAt(0) - 64;
    if (value < 1 || value > 26) break;
    column = column * 26 + value;
  }
  return column - 1;
}

/**
 * A path in the archive, of what stands in a relation.
 * @param {string} folder
 * @param {string} target
 */
function resolved(folder, target) {
  return new URL(target, `file:///${folder}`).pathname.slice(1).split("/").map(decodeURIComponent).join("/");
}

/** A workbook; sheets are read when they are asked for. Throws where the bytes are no workbook. */
export class Workbook {
  /** @type {Sheet[]} worksheets in their order; chart sheets have no cells and are left out */
  sheets = [];
  #since1904 = false;
  /** @type {string[]} */
  #strings = [];
  /** @type {import("./number_format.js").Kind[]} by style */
  #kinds = [];
  /** @type {Record<string, Uint8Array>} */
  #parts;

  /** @param {Uint8Array} bytes */
  constructor(bytes) {
    const all = unzipSync(bytes, { filter: (/** @type {{ name: string }} */ { name }) => /\.(xml|rels)$/i.test(name) });
    this.#parts = Object.fromEntries(Object.entries(all).map(([name, part]) => [name.replaceAll("\\", "/").toLowerCase(), part]));
    const office = [...this.#relations("").values()].find(({ kind }) => kind === "officeDocument");
    const path = office?.path ?? "xl/workbook.xml";
    if (!this.#part(path)) throw new Error("this is no workbook: it has no xl/workbook.xml");
    this.#readBook(path);
  }

  /** @param {string} path */
  #part(path) {
    return this.#parts[path.toLowerCase()];
  }

  /** @param {string} path of the part that has them */
  #relations(path) {
    const cut = path.lastIndexOf("/") + 1;
    const folder = path.slice(0, cut);
    /** @type {Map<string, { kind: string, path: string }>} */
    const found = new Map();
    const part = this.#part(`${folder}_rels/${path.slice(cut)}.rels`);
    if (part) {
      readXml(part, {
        open: (name, attribute) => {
          if (name !== "Relationship" || attribute("TargetMode") === "External") return;
          const kind = (attribute("Type") ?? "").split("/").at(-1) ?? "";
          found.set(attribute("Id") ?? "", { kind, path: resolved(folder, attribute("Target") ?? "") });
        },
      });
    }
    return found;
  }

  /** @param {string} path */
  #readBook(path) {
    const relations = this.#relations(path);
    readXml(this.#part(path), {
      open: (name, attribute) => {
        if (name === "workbookPr") this.#since1904 = /^(1|true|on)$/i.test(attribute("date1904") ?? "");
        if (name !== "sheet") return;
        const { kind, path: target } = relations.get(attribute("id") ?? "") ?? { kind: "", path: "" };
        if (kind !== "worksheet" || !this.#part(target)) return;
        this.sheets.push({ name: attribute("name") ?? "", hidden: /hidden/i.test(attribute("state") ?? ""), path: target });
      },
    });
    const parts = [...relations.values()];
    const pathOf = (/** @type {string} */ kind) => this.#part(parts.find((one) => one.kind === kind)?.path ?? "");
    if (pathOf("styles")) this.#readStyles(pathOf("styles"));
    if (pathOf("sharedStrings")) this.#readStrings(pathOf("sharedStrings"));
  }

  /** @param {Uint8Array} part */
  #readStyles(part) {
    /** @type {Map<number, string>} */
    const codes = new Map();
    let cells = false;
    readXml(part, {
      open: (name, attribute) => {
        if (name === "numFmt") codes.set(Number(attribute("numFmtId")), attribute("formatCode") ?? "");
        else if (name === "cellXfs") cells = true;
        else if (name === "xf" && cells) {
          const id = Number(attribute("numFmtId") ?? 0);
          this.#kinds.push(kindOfFormat(id, codes.get(id)));
        }
      },
      close: (name) => { if (name === "cellXfs") cells = false; },
    });
  }

  /** @param {Uint8Array} part */
  #readStrings(part) {
    const text = new RichText();
    readXml(part, {
      open: (name) => {
        if (name === "si") text.start();
        else text.open(name);
      },
      text: (value) => text.add(value),
      close: (name) => {
        text.close(name);
        if (name === "si") this.#strings.push(text.end());
      },
    });
  }

  /**
   * Rows of cells as text, empty ones where the sheet has none: dates as `2026-01-02`, errors as "".
   * @param {Sheet} sheet
   */
  rows(sheet) {
    /** @type {string[][]} */
    const rows = [];
    const text = new RichText();
    let row = -1;
    let column = -1;
    let type = "";
    let style = 0;
    let value = "";
    let inValue = false;
    let isFormula = false;
    let uncomputed = 0;
    readXml(this.#part(sheet.path), {
      open: (name, attribute) => {
        if (name === "row") {
          const number = Number(attribute("r"));
          row = number > 0 ? number - 1 : row + 1;
          rows[row] ??= [];
          column = -1;
        } else if (name === "c") {
          const place = columnOf(attribute("r"));
          column = place < 0 ? column + 1 : place;
          type = attribute("t") ?? "n";
          style = Number(attribute("s") ?? 0);
          value = "";
          isFormula = false;
          text.start();
        } else if (name === "v") inValue = true;
        else if (name === "f") isFormula = true;
        else text.open(name);
      },
      text: (piece) => {
        if (inValue) value += piece;
        else text.add(piece);
      },
      close: (name) => {
        if (name === "v") inValue = false;
        else if (name === "c") {
          if (isFormula && !value && type !== "str") uncomputed += 1;
          rows[row][column] = type === "inlineStr" ? text.end() : this.#written(type, style, value);
        }
        else text.close(name);
      },
    });
    sheet.uncomputed = uncomputed;
    const width = rows.reduce((most, cells) => Math.max(most, cells?.length ?? 0), 0);
    return Array.from(rows, (cells) => Array.from({ length: width }, (_, place) => cells?.[place] ?? ""));
  }

  /**
   * @param {string} type
   * @param {number} style
   * @param {string} value
   */
  #written(type, style, value) {
    if (type === "s") return this.#strings[Number(value)] ?? "";
    if (type === "str") return unescaped(value);
    if (type === "b") return value.trim() === "1" || value.trim() === "true" ? "TRUE" : "FALSE";
    if (type === "e") return "";
    if (type === "d") return isoDated(value);
    const digits = value.trim();
    if (!digits) return "";
    const kind = this.#kinds[style] ?? "";
    const number = Number(digits);
    if (kind && Number.isFinite(number)) return dated(number, kind, this.#since1904);
    // Digits that a float would lose stay as they are stored; what is written with an exponent is one already.
    return /^-?\d+$/.test(digits) || !Number.isFinite(number) ? digits : String(number);
  }
}

/** The text of `<t>` elements, also of several runs; phonetic hints are none of it. */
class RichText {
  #text = "";
  #inText = false;
  #phonetic = false;

  start() {
    this.#text = "";
  }

  /** @param {string} name */
  open(name) {
    if (name === "rPh") this.#phonetic = true;
    else if (name === "t") this.#inText = !this.#phonetic;
  }

  /** @param {string} text */
  add(text) {
    if (this.#inText) this.#text += text;
  }

  /** @param {string} name */
  close(name) {
    if (name === "rPh") this.#phonetic = false;
    else if (name === "t") this.#inText = false;
  }

  end() {
    return unescaped(this.#text);
  }
}
