// XLSX, by read-excel-file, in a worker.
/** Calls `take(cells)` for each row of the first sheet that has any; {sheet, others}, the name and how many more. */
export function readWorkbook(file, take) {
  const worker = new Worker(new URL("workbook_worker.js", import.meta.url));
  return new Promise((done, failed) => {
    worker.addEventListener("message", ({ data }) => {
      if (data.rows) data.rows.forEach(take);
      else if (data.error) failed(new Error(data.error));
      else done(data);
    });
    worker.addEventListener("error", (event) => failed(new Error(event.message)));
    worker.postMessage(file);
  }).finally(() => worker.terminate());
}
