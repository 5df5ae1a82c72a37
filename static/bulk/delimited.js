// CSV and TSV, by Papa Parse. structbert_lite/tables/delimited.py reads files alike.
const CHUNK = 2 ** 20; // characters between two pauses in which the page does other things
const DELIMITERS = [",", "\t", ";"];

/** Only these end a row; inside quotes a cell may have others. Mixed ends outside of quotes become one kind. */
function withOneLineEnd(text) {
  if (!text.includes("\r")) return [text, "\n"];
  const bare = text.replace(/"[^"]*"/g, "");
  const kinds = [["\r\n", /\r\n/], ["\n", /(?<!\r)\n/], ["\r", /\r(?!\n)/]].filter(([, kind]) => kind.test(bare));
  if (kinds.length < 2) return [text, kinds[0]?.[0] ?? "\n"];
  return [text.replace(/"[^"]*"|\r\n?/g, (found) => (found[0] === '"' ? found : "\n")), "\n"];
}

/** The one of which the header line has most; a comma where it has none. */
function delimiterOf(text) {
  const header = /^[^\r\n]*/.exec(text)[0];
  const counts = DELIMITERS.map((delimiter) => header.split(delimiter).length);
  return DELIMITERS[counts.indexOf(Math.max(...counts))];
}

const NO_QUOTE = "\0"; // Papa Parse wants one

/** Calls `take(cells)` for each line; the promise says whether a quote stood where none can. */
function parse(text, newline, delimiter, quoteChar, take) {
  return new Promise((done) => {
    let broken = false;
    Papa.parse(text, {
      delimiter,
      newline,
      quoteChar,
      chunkSize: CHUNK,
      chunk({ data, errors }, parser) {
        data.forEach(take);
        broken ||= errors.some(({ type }) => type === "Quotes");
        parser.pause();
        setTimeout(() => parser.resume());
      },
      complete: () => done(broken),
    });
  });
}

/**
 * {lines, broken}: what `start()` makes, after `lines.take(cells)` for each line, and whether a quote stood where none can.
 * With `tabs` between cells such quotes are ordinary characters, all of them.
 */
export async function readDelimited(given, start, tabs) {
  const [whole, newline] = withOneLineEnd(given);
  // The end of the last line begins no other.
  const text = whole.endsWith(newline) ? whole.slice(0, -newline.length) : whole;
  const delimiter = tabs ? "\t" : delimiterOf(text);
  const lines = start();
  const broken = await parse(text, newline, delimiter, '"', lines.take);
  if (!broken || delimiter !== "\t") return { lines, broken };
  const plain = start();
  await parse(text, newline, delimiter, NO_QUOTE, plain.take);
  return { lines: plain, broken: false };
}
