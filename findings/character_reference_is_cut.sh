#!/usr/bin/env bash
# saxen reads a character reference beyond U+FFFF as another character.
#
# versions:  saxen 11.1.0, Node.js 20 (x86-64 Linux)
# behaviour: some writers of workbooks put rare Chinese characters and emoji into XML as numbers: &#x20BB7;. saxen's decoder
#            keeps the lower 16 bits, which are a character of their own: nothing fails, the text is another one.
# one would guess: U+20BB7, as every XML parser reads it; or an error.
# seen:      &#x20BB7; bb7, &#x1F600; f600, &#x5403; 5403
# what helps: decode numeric references with String.fromCodePoint before the library does.
# exits with 1 when all three are right.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-audit --no-fund saxen@11.1.0 >/dev/null 2>&1
cat >references.mjs <<'NODE'
import { Parser } from "saxen";

let right = 0;
const shown = [];
for (const code of ["20BB7", "1F600", "5403"]) {
  const parser = new Parser();
  parser.on("text", (text, decode) => {
    const found = decode(text).codePointAt(0).toString(16).toUpperCase();
    right += Number(found === code);
    shown.push(`&#x${code}; ${found.toLowerCase()}`);
  });
  parser.parse(`<t>&#x${code};</t>`);
}
console.log(shown.join(", "));
process.exit(right === 3 ? 1 : 0);
NODE
node references.mjs
