// @ts-check
// XLSX, read and written in a worker.
/**
 * @typedef {{ sheet: string, sheets: { name: string, hidden: boolean }[], uncomputed: number }} Found the sheet that was read, all there
 *   are, and in how many cells of the one there is a formula without a result
 */

/**
 * @template Done
 * @param {object} asked
 * @param {(rows: string[][]) => void} [take]
 * @returns {Promise<Done>}
 */
function work(asked, take) {
  const worker = new Worker(new URL("xlsx/worker.js", import.meta.url), { type: "module" });
  return new Promise((done, failed) => {
    worker.addEventListener("message", ({ data }) => {
      if (data.rows) take?.(data.rows);
      else if (data.error) failed(new Error(data.error));
      else done(data.done);
    });
    worker.addEventListener("error", (event) => failed(new Error(event.message)));
    worker.postMessage(asked);
  }).finally(() => worker.terminate());
}

/**
 * @param {Blob} file
 * @param {string | undefined} sheet its name; where it is not given, the first visible one with a table
 */
export async function readWorkbook(file, sheet) {
  /** @type {string[][]} */
  const grid = [];
  const found = await /** @type {Promise<Found>} */ (work({ file, sheet }, (rows) => { for (const row of rows) grid.push(row); }));
  return { grid, ...found };
}

/**
 * A workbook as a Blob.
 * @param {import("./xlsx/writer.js").SheetToWrite[]} sheets
 */
export async function writeWorkbook(sheets) {
  const bytes = await /** @type {Promise<BlobPart>} */ (work({ sheets }));
  return new Blob([bytes], { type: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet" });
}
