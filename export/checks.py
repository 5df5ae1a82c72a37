"""Whether the exported files say what the checkpoint says."""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import torch
from tokenizers import Tokenizer
from transformers import BertForSequenceClassification

from export.encoding import encode
from export.refusal import ExportRefused
from export.texts import PARITY_TEXTS

PARITY_BOUND = 1e-4  # of a float32 logit; what differs is only the order of additions
BATCH = 4


def open_session(path: Path) -> onnxruntime.InferenceSession:
    """A CPU session on the ONNX file, on as many threads as this process may use."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = (
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    )
    options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def run(session: onnxruntime.InferenceSession, tokenizer: Tokenizer, texts: Sequence[str]) -> np.ndarray:
    """Logits of `texts` as one padded batch, float32 [texts, labels]."""
    return session.run(["logits"], encode(tokenizer, texts))[0]


def check_parity(model: BertForSequenceClassification, path: Path, tokenizer: Tokenizer) -> float:
    """The largest |difference of a logit| between PyTorch and the float32 ONNX file on PARITY_TEXTS.

    Each text is read alone and in a padded batch. Raises ExportRefused above PARITY_BOUND.
    """
    session = open_session(path)
    largest = 0.0
    for texts in [*_alone(PARITY_TEXTS), *_batches(PARITY_TEXTS)]:
        inputs = {name: torch.from_numpy(array) for name, array in encode(tokenizer, texts).items()}
        with torch.inference_mode():
            expected = model(**inputs).logits.numpy()
        difference = np.abs(expected - run(session, tokenizer, texts)).max()
        if not difference <= PARITY_BOUND:  # also when it is not a number
            raise ExportRefused(
                f"the ONNX model differs from PyTorch by {difference:.1e} in a logit (the limit is {PARITY_BOUND:.0e}) "
                f"on {texts[0][:20]!r}"
            )
        largest = max(largest, float(difference))
    return largest


def check_int8(
    float32: Path, int8: Path, tokenizer: Tokenizer, texts: Iterable[str], min_agreement: float
) -> dict[str, Any]:
    """How far the int8 file is from the float32 one on `texts`, each read alone; facts for the manifest.

    `label_agreement` is the share of texts with the same label, the differences are of logits;
    `batch_max_difference` is how much an int8 logit of PARITY_TEXTS, or of a beginning of one, moves in a padded batch.
    Raises ExportRefused when the agreement is under `min_agreement`.
    """
    reference, session = open_session(float32), open_session(int8)
    pairs = [(run(reference, tokenizer, [text])[0], run(session, tokenizer, [text])[0]) for text in texts]
    expected, found = (np.stack(logits) for logits in zip(*pairs, strict=True))
    differences = np.abs(expected - found)
    agreement = float((expected.argmax(1) == found.argmax(1)).mean())
    if not np.isfinite(found).all():
        raise ExportRefused("the int8 model gives logits that are not finite")
    if agreement < min_agreement:
        raise ExportRefused(
            f"the int8 model gives the float32 model's label for {agreement:.1%} of {len(pairs)} texts, "
            f"the bound is {min_agreement:.1%}"
        )
    return {
        "texts": len(pairs),
        "label_agreement": agreement,
        "min_agreement": min_agreement,
        "max_logit_difference": float(differences.max()),
        "mean_logit_difference": float(differences.mean()),
        "logit_spread": float(expected.std(axis=0).mean()),
        "batch_max_difference": _batch_difference(session, tokenizer),
    }


def _batch_difference(session: onnxruntime.InferenceSession, tokenizer: Tokenizer) -> float:
    # Of every length up to a few vectors of floats: kernels treat what is left over of a vector in ways of their own.
    growing = [PARITY_TEXTS[-1][:characters] for characters in range(1, 34)]
    alone = np.concatenate([run(session, tokenizer, texts) for texts in _alone([*PARITY_TEXTS, *growing])])
    batched = np.concatenate([run(session, tokenizer, texts) for texts in [*_batches(PARITY_TEXTS), growing]])
    return float(np.abs(alone - batched).max())


def _alone(texts: Sequence[str]) -> list[Sequence[str]]:
    return [[text] for text in texts]


def _batches(texts: Sequence[str]) -> list[Sequence[str]]:
    return [texts[start : start + BATCH] for start in range(0, len(texts), BATCH)]
