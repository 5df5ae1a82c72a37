"""Texts -> the tensors that the exported graph takes."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer

LONGEST = 512  # tokens; StructBERT was trained on no more
INPUTS = ("input_ids", "attention_mask", "token_type_ids")


def load_tokenizer(path: Path, max_tokens: int, pad_id: int) -> Tokenizer:
    """The tokenizer in `path`, cutting at `max_tokens` ([CLS] and [SEP] included) and padding on the right."""
    tokenizer = Tokenizer.from_file(str(path))
    tokenizer.enable_truncation(max_tokens)
    tokenizer.enable_padding(pad_id=pad_id)
    return tokenizer


def encode(tokenizer: Tokenizer, texts: Sequence[str]) -> dict[str, np.ndarray]:
    """INPUTS by name, int64 [texts, tokens], padded to the longest of `texts`."""
    encodings = tokenizer.encode_batch(list(texts))
    rows = {
        "input_ids": [encoding.ids for encoding in encodings],
        "attention_mask": [encoding.attention_mask for encoding in encodings],
        "token_type_ids": [encoding.type_ids for encoding in encodings],
    }
    return {name: np.array(rows[name], dtype=np.int64) for name in INPUTS}
