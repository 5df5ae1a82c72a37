// @ts-check
// CSV and TSV, by Papa Parse. structbert_lite/tables/delimited.py reads files alike.
const CHUNK = 2 ** 20; // characters between two pauses in which the page does other things
const DELIMITERS = [",", "\t", ";", "|"];
const SAMPLE = 50; // lines by which one is found
const QUOTED = /"[^"]*"/g;

/**
 * Only these end a row; inside quotes a cell may have others. Mixed ends outside of quotes become one kind.
 * @param {string} text
 */
function withOneLineEnd(text) {
  if (!text.includes("\r")) return { text, newline: "\n" };
  const bare = text.replace(QUOTED, '""');
  const kinds = Object.entries({ "\r\n": /\r\n/, "\n": /(?<!\r)\n/, "\r": /\r(?!\n)/ }).filter(([, kind]) => kind.test(bare));
  if (kinds.length < 2) return { text, newline: kinds[0]?.[0] ?? "\n" };
  return { text: text.replace(/"[^"]*"|\r\n?/g, (found) => (found[0] === '"' ? found : "\n")), newline: "\n" };
}

/**
 * A comma, unless it splits less than half of the first lines and another splits nearly all of them alike; as on the command line.
 * @param {string} text
 */
function delimiterOf(text) {
  const lines = text.slice(0, CHUNK).replace(QUOTED, "").split(/\r\n|\n|\r/).filter((line) => line.trim()).slice(0, SAMPLE);
  const alike = DELIMITERS.map((delimiter) => {
    /** @type {Map<number, number>} */
    const widths = new Map();
    for (const line of lines) widths.set(line.split(delimiter).length, (widths.get(line.split(delimiter).length) ?? 0) + 1);
    widths.delete(1);
    return Math.max(0, ...widths.values());
  });
  const most = Math.max(...alike);
  return alike[0] < 0.5 * lines.length && most > 0 && most >= 0.8 * (lines.length - 1) ? DELIMITERS[alike.indexOf(most)] : DELIMITERS[0];
}

const NO_QUOTE = "\0"; // Papa Parse wants one

/**
 * @param {string} text
 * @param {string} newline
 * @param {string} delimiter
 * @param {string} quoteChar
 * @returns {Promise<{ grid: string[][], broken: boolean }>} `broken`: a quote stood where none can
 */
function parse(text, newline, delimiter, quoteChar) {
  return new Promise((done) => {
    /** @type {string[][]} */
    const grid = [];
    let broken = false;
    Papa.parse(text, {
      delimiter,
      newline,
      quoteChar,
      chunkSize: CHUNK,
      chunk({ data, errors }, parser) {
        for (const cells of data) grid.push(cells);
        broken ||= errors.some(({ type }) => type === "Quotes");
        parser.pause();
        setTimeout(() => parser.resume());
      },
      complete: () => done({ grid, broken }),
    });
  });
}

/**
 * The first cell that holds lines which look like rows of their own: how many, and the line of the file on which it begins.
 * @param {string[][]} grid
 * @param {string} delimiter
 */
function swallowed(grid, delimiter) {
  let line = 1;
  for (const cells of grid) {
    for (const cell of cells) {
      const lines = cell.split(/\r\n|\n|\r/);
      const rows = lines.slice(1).filter((one) => one.split(delimiter).length > 1).length;
      if (rows > 1) return { line, rows };
      line += lines.length - 1;
    }
    line += 1;
  }
  return null;
}

/**
 * Lines of cells. `quotes`: whether they may enclose cells; with tabs between cells those that do not fit are ordinary characters,
 * all of them. `broken` says of a quote that stands where none can, or is never closed, and the rows that it swallowed.
 * @param {string} given
 * @param {{ tabs?: boolean, quotes?: boolean }} [options]
 */
export async function readDelimited(given, { tabs = false, quotes = true } = {}) {
  const { text: whole, newline } = withOneLineEnd(given);
  // Empty lines in front, and what Excel is told about the file there. The end of the last line begins no other.
  let text = whole.replace(/^(?:[^\S\t]*(?:\r\n|\n|\r))+/, "");
  const named = /^"?sep=(.)"?(?:\r\n|\n|\r)/i.exec(text);
  if (named) text = text.slice(named[0].length);
  if (text.endsWith(newline)) text = text.slice(0, -newline.length);
  const delimiter = tabs ? "\t" : (named?.[1] ?? delimiterOf(text));
  const { grid, broken } = await parse(text, newline, delimiter, quotes ? '"' : NO_QUOTE);
  if (broken && delimiter === "\t") return { ...(await parse(text, newline, delimiter, NO_QUOTE)), broken: null };
  const found = quotes ? swallowed(grid, delimiter) : null;
  return { grid, broken: found ?? (broken ? { line: 0, rows: 0 } : null) };
}
