// @ts-check
// Reads and writes workbooks beside the page.
import { pickSheet } from "../header.js";
import { Workbook } from "./reader.js";
import { writeWorkbook } from "./writer.js";

const AT_ONCE = 5000; // rows in one message: the page takes each between two pictures

/** @param {{ file: File, sheet?: string }} asked */
async function read({ file, sheet }) {
  const book = new Workbook(new Uint8Array(await file.arrayBuffer()));
  const { chosen, rows } = pickSheet(book.sheets, (one) => book.rows(one), sheet);
  for (let at = 0; at < rows.length; at += AT_ONCE) postMessage({ rows: rows.slice(at, at + AT_ONCE) });
  postMessage({ done: { sheet: chosen?.name ?? "", sheets: book.sheets.map(({ name, hidden }) => ({ name, hidden })), uncomputed: chosen?.uncomputed ?? 0 } });
}

onmessage = async ({ data }) => {
  try {
    if (data.file) await read(data);
    else postMessage({ done: writeWorkbook(data.sheets) });
  } catch (error) {
    postMessage({ error: String(/** @type {Error} */ (error).message ?? error) });
  }
};
