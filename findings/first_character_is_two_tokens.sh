#!/usr/bin/env bash
# With tokenizers' Metaspace the first character of a text belongs to two tokens, by their offsets.
#
# versions:  tokenizers 0.22.2 (Python 3.11, x86-64 Linux)
# behaviour: Metaspace puts a mark in front of a text, and a Unigram vocabulary may make a token of the mark alone, as XLM-RoBERTa's
#            does before a Chinese word. At a space inside the text such a token stands for the space. At the beginning, where
#            there is no space, it is said to stand for the first character, which the next token has as well.
# one would guess: the token stands for nothing there, (0, 0); offsets never overlap, and can be laid one behind the other to mark words.
# seen:      [('\u2581', (0, 1)), ('ab', (0, 2)), ('\u2581', (2, 3)), ('ab', (3, 5))]
# exits with 1 when no two tokens overlap.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/python" -m pip install --quiet --disable-pip-version-check tokenizers==0.22.2
"$work/venv/bin/python" - <<'PYTHON'
import itertools
import sys

from tokenizers import Tokenizer, models, pre_tokenizers

pieces = [("<unk>", 0.0), ("\u2581", -2.0), ("a", -3.0), ("b", -3.0), ("ab", -3.0)]
tokenizer = Tokenizer(models.Unigram(pieces, unk_id=0))
tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
encoding = tokenizer.encode("ab ab")
print(ascii(list(zip(encoding.tokens, encoding.offsets, strict=True))))
overlap = any(after[0] < before[1] for before, after in itertools.pairwise(encoding.offsets))
sys.exit(0 if overlap else 1)
PYTHON
