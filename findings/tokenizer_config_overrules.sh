#!/usr/bin/env bash
# For BERT, a key that tokenizer_config.json does not even have overrules what tokenizer.json says.
#
# versions:  transformers 4.57.6, tokenizers 0.22.2 (Python 3.11, x86-64 Linux)
# behaviour: a folder has a complete tokenizer.json whose normalizer says "lowercase": false and "strip_accents": false, and a
#            tokenizer_config.json that names the class, BertTokenizer, and nothing else. AutoTokenizer loads the former and then
#            sets its normalizer to the class's defaults, lower case among them. The tokenizers library, and
#            transformers' PreTrainedTokenizerFast on the same file, keep the capitals.
# one would guess: tokenizer.json is the whole tokenizer, and all who read it agree; a program that copies that file alone serves
#            what the model was trained with.
# seen:      "A" tokenizers [2, 6, 3] PreTrainedTokenizerFast [2, 6, 3] AutoTokenizer [2, 5, 3]
#            "\xe9" tokenizers [2, 7, 3] PreTrainedTokenizerFast [2, 7, 3] AutoTokenizer [2, 8, 3]
# exits with 1 when all agree.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/python" -m pip install --quiet --disable-pip-version-check transformers==4.57.6 tokenizers==0.22.2
"$work/venv/bin/python" - "$work" <<'PYTHON'
import json
import pathlib
import sys

from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import AutoTokenizer, PreTrainedTokenizerFast

folder = pathlib.Path(sys.argv[1], "model")
folder.mkdir()
pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "A", "\xe9", "e"]
alone = Tokenizer(models.WordPiece({piece: number for number, piece in enumerate(pieces)}, unk_token="[UNK]"))
alone.normalizer = normalizers.BertNormalizer(lowercase=False, strip_accents=False)
alone.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
alone.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
alone.save(str(folder / "tokenizer.json"))
(folder / "vocab.txt").write_text("\n".join(pieces), encoding="utf-8")
(folder / "config.json").write_text(json.dumps({"model_type": "bert"}))
(folder / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "BertTokenizer"}))
plain = PreTrainedTokenizerFast(tokenizer_file=str(folder / "tokenizer.json"))
auto = AutoTokenizer.from_pretrained(folder)
agree = True
for text in ("A", "\xe9"):
    ids = alone.encode(text).ids, plain(text)["input_ids"], auto(text)["input_ids"]
    print(ascii(text), "tokenizers", ids[0], "PreTrainedTokenizerFast", ids[1], "AutoTokenizer", ids[2])
    agree = agree and ids[0] == ids[1] == ids[2]
sys.exit(1 if agree else 0)
PYTHON
