// Rows in batches that the server takes.
const ROWS = 64;
const BYTES = 6; // of one character at the most, as JSON

/**
 * Batches of {row, fields}. `faultOf(row)` says why a row cannot be sent; `refuse(row, fault)` is then told, and it is in no
 * batch. `limits`: the server's `items` and `mb`; `inputs`: what one row counts against `items`.
 */
export function* batchesOf(count, { fieldsOf, faultOf, refuse, limits, inputs }) {
  const most = Math.max(1, Math.min(ROWS, Math.floor(limits.items / inputs)));
  const room = (limits.mb * 2 ** 20) / BYTES;
  let batch = [];
  let size = 0;
  for (let row = 0; row < count; row += 1) {
    const fault = faultOf(row);
    if (fault) {
      refuse(row, fault);
      continue;
    }
    const fields = fieldsOf(row);
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
