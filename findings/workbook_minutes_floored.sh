#!/usr/bin/env bash
# read-excel-file reads three tenths of a day's minutes as one millisecond before the minute.
#
# versions:  read-excel-file 9.3.0, saxen 11.1.0 (which it needs), exceljs 4.4.0 (as the writer), Node.js 20 (x86-64 Linux)
# behaviour: a date cell is a number of days, and no minute but 0:00, 6:00 ... is a whole binary fraction of a day. read-excel-file multiplies by the
#            milliseconds of a day and cuts off what is behind the point, so 00:02:00 comes as 00:01:59.999, and whoever shows
#            seconds shows 00:01:59.
# one would guess: rounded to the millisecond, which is exact for every second of this century.
# seen:      448 of 1440 minutes; the first: 2024-01-15T00:01:59.999Z for 2024-01-15T00:02:00.000Z
# exits with 1 when every minute is right.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-audit --no-fund read-excel-file@9.3.0 exceljs@4.4.0 saxen@11.1.0 >/dev/null 2>&1
cat >minutes.mjs <<'NODE'
import ExcelJS from "exceljs";
import read from "read-excel-file/node";

const MINUTES = 24 * 60;
const book = new ExcelJS.Workbook();
const sheet = book.addWorksheet("day");
sheet.addRow(["minute"]);
for (let minute = 0; minute < MINUTES; minute++) {
  sheet.addRow([45306 + minute / MINUTES]).getCell(1).numFmt = "yyyy-mm-dd hh:mm:ss";
}
await book.xlsx.writeFile("minutes.xlsx");
const found = await read("minutes.xlsx");
const rows = (found[0]?.data ?? found).slice(1);
const wrong = rows
  .map(([date], minute) => [date.toISOString(), new Date(Date.UTC(2024, 0, 15, 0, minute)).toISOString()])
  .filter(([is, should]) => is !== should);
console.log(`${wrong.length} of ${rows.length} minutes; the first: ${wrong[0]?.join(" for ")}`);
process.exit(wrong.length ? 0 : 1);
NODE
node minutes.mjs
