// CSV and TSV, by Papa Parse. structbert_lite/cli/tables/delimited.py reads files alike.
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

/** Calls `take(cells)` for each line; the promise says whether a quote was never closed. */
export function readDelimited(given, take, tabs) {
  const [text, newline] = withOneLineEnd(given);
  // The end of the last line begins no other.
  const lines = text.endsWith(newline) ? text.slice(0, -newline.length) : text;
  return new Promise((done) => {
    let unclosed = false;
    Papa.parse(lines, {
      delimiter: tabs ? "\t" : delimiterOf(text),
      newline,
      chunkSize: CHUNK,
      chunk({ data, errors }, parser) {
        data.forEach(take);
        unclosed ||= errors.some(({ code }) => code === "MissingQuotes");
        parser.pause();
        setTimeout(() => parser.resume());
      },
      complete: () => done(unclosed),
    });
  });
}
