"""Whether a graph with a prefix says what PyTorch says of a text and its labels in one row."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from tokenizers import Tokenizer
from transformers import PreTrainedModel

from export.checks import PARITY_BOUND
from export.prefix.packed import logits_of_labels, pack
from export.refusal import ExportRefused
from structbert_lite.inference.model import Session
from structbert_lite.inference.prefix import encode_behind
from structbert_lite.inference.tokenizer import Tokenizer as ServingTokenizer

Group = tuple[str, Sequence[str]]  # a text and what is asked about it


def check_layout(tokenizer: Tokenizer, text: str) -> None:
    """Raises ExportRefused unless one special token stands before a text and one behind it."""
    marks = tokenizer.encode(text).special_tokens_mask
    if marks != [1, *[0] * (len(marks) - 2), 1]:
        raise ExportRefused("prefix_attention needs a tokenizer that writes a text as [CLS] text [SEP]")


def check_prefix(
    model: PreTrainedModel, float32: Session, tokenizer: ServingTokenizer, groups: Sequence[Group]
) -> float:
    """The largest |difference of a logit| between PyTorch and the float32 graph.

    Raises ExportRefused above PARITY_BOUND.
    """
    largest = 0.0
    for text, labels in groups:
        encodings = encode_behind(tokenizer, [(text, label) for label in labels])
        for prefix in dict.fromkeys(encoding.prefix for encoding in encodings):
            behind = [encoding for encoding in encodings if encoding.prefix == prefix]
            with torch.inference_mode():
                packed = pack(prefix, [encoding.ids for encoding in behind])
                expected = logits_of_labels(model, [packed]).numpy()
            difference = float(np.abs(expected - float32.run(behind)).max())
            if not difference <= PARITY_BOUND:  # also when it is not a number
                raise ExportRefused(
                    f"a text read once: the ONNX model differs from PyTorch by {difference:.1e} in a logit "
                    f"(the limit is {PARITY_BOUND:.0e}) on {text[:20]!r}"
                )
            largest = max(largest, difference)
    return largest


def compare_int8(
    float32: Session, int8: Session, tokenizer: ServingTokenizer, groups: Sequence[Group]
) -> dict[str, Any]:
    """How far the int8 graph is from the float32 one where a text is read once; facts for the manifest."""
    differences, same = [], []
    for text, labels in groups:
        encodings = encode_behind(tokenizer, [(text, label) for label in labels])
        expected, found = float32.run(encodings), int8.run(encodings)
        differences.append(np.abs(expected - found))
        same.append(expected[:, 0].argmax() == found[:, 0].argmax())
    moved = np.concatenate(differences)
    return {
        "texts": len(groups),
        "best_label_agreement": float(np.mean(same)),
        "max_logit_difference": float(moved.max()),
        "mean_logit_difference": float(moved.mean()),
    }
