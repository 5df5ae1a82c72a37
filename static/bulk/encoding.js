// A file's bytes as text, in the encoding that they turn out to have. structbert_lite/tables/source.py does the same.
const BLOCK = 4 * 2 ** 20;
const MARKS = { "utf-8": [0xef, 0xbb, 0xbf], "utf-16le": [0xff, 0xfe], "utf-16be": [0xfe, 0xff], gb18030: [0x84, 0x31, 0x95, 0x33] };
const UNREADABLE = "\ufffd";

const unmarked = (text) => (text.startsWith("\ufeff") ? text.slice(1) : text);

/** Block by block: a long file must not stop the page. Throws TypeError for bytes that are none of `encoding`. */
async function decode(file, encoding, fatal) {
  const decoder = new TextDecoder(encoding, { fatal, ignoreBOM: true });
  const parts = [];
  for (let at = 0; at < file.size; at += BLOCK) {
    parts.push(decoder.decode(await file.slice(at, at + BLOCK).arrayBuffer(), { stream: true }));
  }
  parts.push(decoder.decode());
  return unmarked(parts.join(""));
}

/**
 * {text, encoding, damaged}: a byte order mark decides, else UTF-8 or GB18030, whichever fits the whole file. Where neither
 * does, the one that fits better; characters that could not be read are then U+FFFD, and `damaged` is true.
 */
export async function readText(file) {
  const start = new Uint8Array(await file.slice(0, 4).arrayBuffer());
  const marked = Object.keys(MARKS).find((encoding) => MARKS[encoding].every((byte, i) => start[i] === byte));
  const candidates = marked ? [marked] : ["utf-8", "gb18030"];
  for (const encoding of candidates) {
    try {
      return { text: await decode(file, encoding, true), encoding, damaged: false };
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
    }
  }
  const read = [];
  for (const encoding of candidates) {
    const text = await decode(file, encoding, false);
    read.push({ text, encoding, damaged: true, lost: text.split(UNREADABLE).length });
  }
  return read.sort((one, other) => one.lost - other.lost)[0];
}
