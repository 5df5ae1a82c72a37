"""Texts and pairs of texts -> the tensors that the exported graph takes."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from export.architecture import BERT

LONGEST = 512  # tokens, unless --max-tokens asks for more; StructBERT was trained on no more
INPUTS = BERT.inputs

Pair = tuple[str, str]
Item = str | Pair  # what one row of a model's input is made from


def load_tokenizer(path: Path, max_tokens: int, pad_id: int) -> Tokenizer:
    """The tokenizer in `path`, cutting at `max_tokens` (special tokens included) and padding on the right.

    Of a pair the longer text is cut first.
    """
    tokenizer = Tokenizer.from_file(str(path))
    tokenizer.enable_truncation(max_tokens)
    tokenizer.enable_padding(pad_id=pad_id)
    return tokenizer


def encode(tokenizer: Tokenizer, items: Sequence[Item], inputs: Sequence[str] = INPUTS) -> dict[str, NDArray[np.int64]]:
    """`inputs` by name, int64 [items, tokens], padded to the longest of `items`."""
    encodings = tokenizer.encode_batch(list(items))
    fields = {"input_ids": "ids", "attention_mask": "attention_mask", "token_type_ids": "type_ids"}
    return {name: np.array([getattr(e, fields[name]) for e in encodings], dtype=np.int64) for name in inputs}
