// @ts-check
// A file's bytes as text, in the encoding that they turn out to have. structbert_lite/tables/source.py does the same.
import { commonness } from "./common_characters.js";

const BLOCK = 4 * 2 ** 20;
const SAMPLE = 2 ** 18; // characters that tell GB18030 and Big5 apart
const MARKS = { "utf-8": [0xef, 0xbb, 0xbf], "utf-16le": [0xff, 0xfe], "utf-16be": [0xfe, 0xff], gb18030: [0x84, 0x31, 0x95, 0x33] };
const COMMON_ENOUGH = 0.3; // of the characters of a Chinese text; the wrong byte order gives nearly none
const UNREADABLE = "\ufffd";
export const ENCODINGS = ["utf-8", "gb18030", "big5", "utf-16le", "utf-16be"];

/** @typedef {{ text: string, encoding: string, damaged: boolean }} Decoded */

const unmarked = (/** @type {string} */ text) => (text.startsWith("\ufeff") ? text.slice(1) : text);

/**
 * Block by block: a long file must not stop the page. Throws TypeError for bytes that are none of `encoding`.
 * @param {Blob} file
 * @param {string} encoding
 * @param {boolean} fatal
 */
async function decode(file, encoding, fatal) {
  const decoder = new TextDecoder(encoding, { fatal, ignoreBOM: true });
  /** @type {string[]} */
  const parts = [];
  for (let at = 0; at < file.size; at += BLOCK) {
    parts.push(decoder.decode(await file.slice(at, at + BLOCK).arrayBuffer(), { stream: true }));
  }
  parts.push(decoder.decode());
  return unmarked(parts.join(""));
}

/**
 * @param {Blob} file
 * @param {string} encoding
 * @returns {Promise<Decoded | null>} null where the bytes are none of it
 */
async function decoded(file, encoding) {
  try {
    return { text: await decode(file, encoding, true), encoding, damaged: false };
  } catch (error) {
    if (error instanceof TypeError) return null;
    throw error;
  }
}

/**
 * Text in UTF-16 without a byte order mark, the byte order being the one that gives common characters; null where neither does.
 * @param {Blob} file
 */
async function decodedUtf16(file) {
  if (!(await file.slice(0, SAMPLE).arrayBuffer().then((bytes) => new Uint8Array(bytes).includes(0)))) return null; // only UTF-16 has them
  const both = await Promise.all(["utf-16le", "utf-16be"].map((one) => decoded(file, one)));
  const common = (/** @type {Decoded | null} */ one) => (!one || one.text.includes("\0") ? 0 : commonness(one.text.slice(0, SAMPLE)));
  const [likely] = both.sort((one, other) => common(other) - common(one));
  return common(likely) > COMMON_ENOUGH ? likely : null;
}

/**
 * Text in `wanted`, else in what a byte order mark says, else in UTF-16 where there are zeros and it fits, else in UTF-8 where the whole file fits, else in GB18030 or Big5, whichever gives
 * the more common characters. Where none fits, the one that fits best; characters that could not be read are then U+FFFD, and
 * `damaged` is true.
 * @param {Blob} file
 * @param {string} [wanted]
 * @returns {Promise<Decoded>}
 */
export async function readText(file, wanted) {
  const start = new Uint8Array(await file.slice(0, 4).arrayBuffer());
  const marked = Object.entries(MARKS).find(([, mark]) => mark.every((byte, i) => start[i] === byte))?.[0];
  const only = wanted ?? marked;
  const unmarked16 = only ? null : await decodedUtf16(file);
  if (unmarked16) return unmarked16;
  for (const encoding of only ? [only] : ["utf-8"]) {
    const found = await decoded(file, encoding);
    if (found) return found;
  }
  if (!only) {
    const both = (await Promise.all(["gb18030", "big5"].map((one) => decoded(file, one)))).filter((one) => one !== null);
    // A file of few characters fits both; GB18030 is by far the more usual one.
    const likely = (/** @type {Decoded} */ one) => commonness(one.text.slice(0, SAMPLE)) + (one.encoding === "gb18030" ? 0.1 : 0);
    if (both.length) return both.sort((one, other) => likely(other) - likely(one))[0];
  }
  const read = [];
  for (const encoding of only ? [only] : ["utf-8", "gb18030"]) {
    const text = await decode(file, encoding, false);
    read.push({ text, encoding, damaged: true, lost: text.split(UNREADABLE).length });
  }
  return read.sort((one, other) => one.lost - other.lost)[0];
}
