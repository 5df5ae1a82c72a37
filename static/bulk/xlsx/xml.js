// @ts-check
// XML of a workbook's parts, by saxen.
import { Parser } from "../../vendor/saxen/index.js";

const ENTITY = /&(?:#(\d+)|#x([\da-f]+)|(amp|lt|gt|quot|apos));/gi;
const NAMED = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };

/** References as characters. saxen's own takes those beyond U+FFFF for others. */
const decoded = (/** @type {string} */ text) =>
  text.includes("&")
    ? text.replace(ENTITY, (all, decimal, hex, name) => {
      if (name) return NAMED[/** @type {keyof typeof NAMED} */ (name.toLowerCase())];
      const code = decimal ? Number(decimal) : parseInt(hex, 16);
      return code <= 0x10ffff ? String.fromCodePoint(code) : all;
    })
    : text;

const local = (/** @type {string} */ name) => name.slice(name.indexOf(":") + 1);

/**
 * Bytes as text in the encoding that their mark says, with the line ends that a parser of XML makes of others (XML 1.0, 2.11).
 * @param {Uint8Array} bytes
 */
function textOf(bytes) {
  const [first, second] = bytes;
  const wide = first === 0xff && second === 0xfe ? "utf-16le" : first === 0xfe && second === 0xff ? "utf-16be" : "utf-8";
  return new TextDecoder(wide).decode(bytes).replace(/\r\n?/g, "\n");
}

/**
 * Reads a part from its beginning to its end. Names are without their namespace's prefix; `attribute(name)` of the element that opens.
 * @param {Uint8Array} bytes
 * @param {{
 *   open?: (name: string, attribute: (name: string) => string | undefined) => void,
 *   text?: (text: string) => void,
 *   close?: (name: string) => void,
 * }} handlers
 */
export function readXml(bytes, { open, text, close }) {
  const parser = /** @type {any} */ (new Parser());
  parser.on("error", (/** @type {Error} */ error) => { throw error; });
  if (open) {
    parser.on("openTag", (/** @type {string} */ name, /** @type {() => Record<string, string>} */ attributes) =>
      open(local(name), (wanted) => {
        const found = attributes();
        const key = wanted in found ? wanted : Object.keys(found).find((one) => local(one) === wanted);
        return key === undefined ? undefined : found[key];
      }));
  }
  if (text) {
    parser.on("text", (/** @type {string} */ value) => text(decoded(value)));
    parser.on("cdata", text);
  }
  if (close) parser.on("closeTag", (/** @type {string} */ name) => close(local(name)));
  parser.parse(textOf(bytes));
}
