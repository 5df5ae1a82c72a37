// Reads a workbook beside the page. The library starts workers of its own from blobs, which the page's policy forbids to
// the page and this file, being a script, does not have.
importScripts("../vendor/read-excel-file/read-excel-file.min.js");

const AT_ONCE = 5000; // rows in one message: the page takes each between two pictures

/** A day, or an instant, as the sheet shows it: sheets know no time zones. */
function dated(date) {
  const iso = date.toISOString();
  return iso.endsWith("T00:00:00.000Z") ? iso.slice(0, 10) : iso.slice(0, 19).replace("T", " ");
}

function written(cell) {
  if (cell === null) return "";
  return cell instanceof Date ? dated(cell) : typeof cell === "boolean" ? String(cell).toUpperCase() : String(cell);
}

onmessage = async ({ data: file }) => {
  try {
    const sheets = await readXlsxFile(file, { trim: false });
    const { sheet, data } = sheets.find((one) => one.data.length) ?? { sheet: "", data: [] };
    for (let at = 0; at < data.length; at += AT_ONCE) {
      postMessage({ rows: data.slice(at, at + AT_ONCE).map((row) => row.map(written)) });
    }
    postMessage({ sheet, others: sheets.length - 1 });
  } catch (error) {
    postMessage({ error: String(error.message ?? error) });
  }
};
