// @ts-check
// Rows in batches that the server takes.
const ROWS = 64;
const BYTES = 6; // of one character at the most, as JSON

/** @typedef {{ row: number, fields: string[] }} Item */

/**
 * Batches of those rows that are to be sent: `fieldsOf(row)`, or null for a row that is not.
 * @param {Iterable<number>} rows
 * @param {object} how
 * @param {(row: number) => string[] | null} how.fieldsOf
 * @param {{ items: number, mb: number }} how.limits the server's
 * @param {number} how.inputs what one row counts against its limit of items
 * @returns {Generator<Item[]>}
 */
export function* batchesOf(rows, { fieldsOf, limits, inputs }) {
  const most = Math.max(1, Math.min(ROWS, Math.floor(limits.items / inputs)));
  const room = (limits.mb * 2 ** 20) / BYTES;
  /** @type {Item[]} */
  let batch = [];
  let size = 0;
  for (const row of rows) {
    const fields = fieldsOf(row);
    if (!fields) continue;
    const length = fields.reduce((sum, text) => sum + text.length, 0);
    if (batch.length === most || (batch.length && size + length > room)) {
      yield batch;
      batch = [];
      size = 0;
    }
    batch.push({ row, fields });
    size += length;
  }
  if (batch.length) yield batch;
}
