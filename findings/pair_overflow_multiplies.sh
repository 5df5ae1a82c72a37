#!/usr/bin/env bash
# A pair that is too long gives the tokenizers library far more overflowing pieces than its tokens need.
#
# versions:  tokenizers 0.22.2 (Python 3.11, x86-64 Linux)
# behaviour: with truncation on, `encode(a, b).overflowing` has one piece for each combination of a window of the first text with a
#            window of the second, the first windows included: w1 x w2 - 1. Two texts of n tokens each, of which a piece holds a
#            few, give pieces in the square of n, and much of what they hold is there several times.
# one would guess: as for a single text: windows that go on where the last one ended, in number about tokens / room.
# seen:      one text of 6, 12, 24 tokens: 2, 5, 11 pieces beyond the first; a pair of such texts: 17, 71, 287
# exits with 1 when a pair of twice the length has no more than three times the pieces.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/python" -m pip install --quiet --disable-pip-version-check tokenizers==0.22.2
"$work/venv/bin/python" - <<'PYTHON'
import sys

from tokenizers import Tokenizer, models, pre_tokenizers, processors

vocabulary = {piece: number for number, piece in enumerate(["[UNK]", "[CLS]", "[SEP]", "a", "b"])}
tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
tokenizer.post_processor = processors.BertProcessing(("[SEP]", 2), ("[CLS]", 1))
found = []
for count in (6, 12, 24):
    a, b = " ".join("a" * count), " ".join("b" * count)
    tokenizer.enable_truncation(4)  # room for two tokens of one text
    single = len(tokenizer.encode(a).overflowing)
    tokenizer.enable_truncation(6)  # room for three tokens of a pair
    pair = len(tokenizer.encode(a, b).overflowing)
    print(count, "tokens: one text", single, "a pair", pair)
    found.append(pair)
sys.exit(0 if found[1] > 3 * found[0] and found[2] > 3 * found[1] else 1)
PYTHON
