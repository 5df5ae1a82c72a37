"""Texts with their labels, each text once, for a cross-encoder that export/prefix/packed.py reads that way."""

from collections.abc import Sequence

import numpy as np
import torch
from tokenizers import Tokenizer
from tqdm import tqdm
from transformers import BertForSequenceClassification

from export.prefix.packed import Packed, logits_of_labels, pack
from training.examples import batches
from training.loop import has_bf16, hide_tokens


def encode_group(tokenizer: Tokenizer, text: str, labels: Sequence[str], max_length: int) -> Packed:
    """The text cut so that the longest label fits behind it, a label so that half of the room is the text's."""
    tokenizer.enable_truncation(max_length // 2)
    said = [encoding.ids for encoding in tokenizer.encode_batch_fast(list(labels))]
    tokenizer.enable_truncation(max_length - max(map(len, said)))
    return pack(tokenizer.encode(text).ids, said)


def group_logits(
    model: BertForSequenceClassification, rows: Sequence[Packed], token_mask: float, tokenizer: Tokenizer
) -> torch.Tensor:
    """float32 [labels of all `rows`, logits], row by row."""
    with torch.autocast("cpu", torch.bfloat16, enabled=has_bf16()):
        return logits_of_labels(model, rows, lambda ids: hide_tokens(ids, token_mask, tokenizer)).float()


def predict_groups(
    model: BertForSequenceClassification, tokenizer: Tokenizer, groups: Sequence[tuple[str, Sequence[str]]], length: int
) -> np.ndarray:
    """Logits float32 [labels of all `groups`, logits], group by group."""
    rows = [encode_group(tokenizer, text, labels, length) for text, labels in groups]
    out: list[np.ndarray] = [np.zeros(0)] * len(rows)
    model.eval()
    with torch.inference_mode():
        for batch in tqdm(list(batches([len(r.ids) for r in rows], 4096, None)), leave=False, mininterval=10):
            logits = group_logits(model, [rows[i] for i in batch], 0.0, tokenizer).numpy()
            ends = np.cumsum([len(rows[i].heads) for i in batch])[:-1]
            for i, part in zip(batch, np.split(logits, ends), strict=True):
                out[i] = part
    return np.concatenate(out)
