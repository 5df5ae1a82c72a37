#!/usr/bin/env bash
# Two libraries read the same date cell of a workbook as different instants, and SheetJS is 43 seconds off every clock in Shanghai.
#
# versions:  xlsx (SheetJS) 0.18.5, exceljs 4.4.0, Node.js 20, TZ=Asia/Shanghai (x86-64 Linux)
# behaviour: a workbook holds a date as a number of days without a time zone: 45306.3958... is 2024-01-15 09:30:00 for whoever opens
#            it. exceljs makes a Date of it whose UTC fields are 09:30:00, which a clock in Shanghai shows as 17:30:00. SheetJS with
#            cellDates means local time, but takes the zone's offset at the epoch of workbooks, 1899-12-30, when Shanghai kept
#            local mean time (8:05:43), and cuts it to minutes: 09:29:17. In UTC both are right.
# one would guess: both give 09:30:00 in one of the two ways, and any error is a whole number of hours.
# seen:      exceljs 2024-01-15 17:30:00 local, 2024-01-15T09:30:00.000Z
#            SheetJS 2024-01-15 09:29:17 local, 2024-01-15T01:29:17.000Z
# what helps: read the number (no cellDates), and take the days apart without a time zone.
# exits with 1 when SheetJS shows 09:30:00.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-audit --no-fund xlsx@0.18.5 exceljs@4.4.0 >/dev/null 2>&1
cat >dates.js <<'NODE'
const ExcelJS = require("exceljs");
const SheetJS = require("xlsx");

const local = (date) => date.toLocaleString("sv-SE");
(async () => {
  const book = new ExcelJS.Workbook();
  const cell = book.addWorksheet("orders").getCell("A1");
  cell.value = 45306 + 9.5 / 24;
  cell.numFmt = "yyyy-mm-dd hh:mm:ss";
  await book.xlsx.writeFile("dates.xlsx");

  const again = new ExcelJS.Workbook();
  await again.xlsx.readFile("dates.xlsx");
  const one = again.getWorksheet("orders").getCell("A1").value;
  const other = SheetJS.readFile("dates.xlsx", { cellDates: true }).Sheets.orders.A1.v;
  console.log(`exceljs ${local(one)} local, ${one.toISOString()}`);
  console.log(`SheetJS ${local(other)} local, ${other.toISOString()}`);
  process.exit(local(other).endsWith("09:30:00") ? 1 : 0);
})();
NODE
TZ=Asia/Shanghai node dates.js
