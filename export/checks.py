"""Whether the exported files say what the checkpoint says."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from torch import nn

from export.encoding import Item
from export.refusal import ExportRefused
from export.session import feed, open_session, run, run_rows
from export.texts import PARITY_TEXTS

PARITY_BOUND = 1e-4  # of a float32 logit; what differs is only the order of additions
BATCH = 4


def check_parity(
    model: nn.Module,
    path: Path,
    tokenizer: Tokenizer,
    items: Sequence[Item] = PARITY_TEXTS,
    pooling: str | None = None,
) -> float:
    """The largest |difference of an output| between PyTorch and the float32 ONNX file on `items`.

    Each item is read alone and in a padded batch; of vectors of tokens the padding's are left out.
    Raises ExportRefused above PARITY_BOUND.
    """
    session = open_session(path)
    largest = 0.0
    for batch in [*alone(items), *batches(items)]:
        inputs = feed(session, tokenizer, batch)
        with torch.inference_mode():
            output = model(**{name: torch.from_numpy(array) for name, array in inputs.items()})
        expected = output.logits if pooling is None else output.last_hidden_state
        expected = (expected[:, 0] if pooling == "cls" else expected).numpy()
        differences = np.abs(expected - session.run(None, inputs)[0])
        if pooling == "mean":
            differences = differences[inputs["attention_mask"] > 0]
        difference = differences.max()
        if not difference <= PARITY_BOUND:  # also when it is not a number
            what = "a logit" if pooling is None else "a vector"
            raise ExportRefused(
                f"the ONNX model differs from PyTorch by {difference:.1e} in {what} (the limit is {PARITY_BOUND:.0e}) "
                f"on {batch[0][:20]!r}"
            )
        largest = max(largest, float(difference))
    return largest


def check_int8(
    float32: Path,
    int8: Path,
    tokenizer: Tokenizer,
    items: Iterable[Item],
    min_agreement: float,
    reads_pairs: bool = False,
    multi_label: bool = False,
) -> dict[str, Any]:
    """How far the int8 classifier is from the float32 one on `items`, each read alone; facts for the manifest.

    Of several logits `label_agreement` is the share of items with the same label, with `multi_label` of labels that fit
    or do not fit an item in both; of one logit, `correlation` is Pearson's over the items. The differences are of
    logits; for `batch_max_difference` see `batch_difference`.
    Raises ExportRefused when the agreement or the correlation is under `min_agreement`.
    """
    reference, session = open_session(float32), open_session(int8)
    pairs = [(run(reference, tokenizer, [item])[0], run(session, tokenizer, [item])[0]) for item in items]
    expected, found = (np.stack(logits) for logits in zip(*pairs, strict=True))
    if not np.isfinite(found).all():
        raise ExportRefused("the int8 model gives logits that are not finite")
    agreement = _agreement(expected, found, "pairs" if reads_pairs else "texts", min_agreement, multi_label)
    differences = np.abs(expected - found)
    return {
        "pairs" if reads_pairs else "texts": len(pairs),
        **agreement,
        "min_agreement": min_agreement,
        "max_logit_difference": float(differences.max()),
        "mean_logit_difference": float(differences.mean()),
        "logit_spread": float(expected.std(axis=0).mean()),
        "batch_max_difference": batch_difference(session, tokenizer, reads_pairs),
    }


def _agreement(
    expected: NDArray[np.float32], found: NDArray[np.float32], what: str, least: float, multi_label: bool
) -> dict[str, float]:
    if expected.shape[1] == 1:
        centred = [logits[:, 0] - logits.mean() for logits in (expected, found)]
        norms = np.linalg.norm(centred[0]) * np.linalg.norm(centred[1])
        correlation = float(centred[0] @ centred[1] / max(norms, 1e-12))
        if correlation < least:
            raise ExportRefused(
                f"the scores of the int8 model correlate with the float32 model's by {correlation:.3f} over "
                f"{len(expected)} {what}, the bound is {least:.3f}"
            )
        return {"correlation": correlation}
    same = (expected > 0) == (found > 0) if multi_label else expected.argmax(1) == found.argmax(1)
    agreement = float(same.mean())
    if agreement < least:
        raise ExportRefused(
            f"the int8 model gives the float32 model's label for {agreement:.1%} of {len(expected)} {what}, "
            f"the bound is {least:.1%}"
        )
    return {"label_agreement": agreement}


def batch_difference(session: onnxruntime.InferenceSession, tokenizer: Tokenizer, reads_pairs: bool = False) -> float:
    """How much an output for PARITY_TEXTS, or for a beginning of one, moves between alone and in a padded batch."""
    # Of every length up to a few vectors of floats: kernels treat what is left over of a vector in ways of their own.
    beginnings = [PARITY_TEXTS[-1][:characters] for characters in range(1, 34)]
    growing, items = (_as_items(texts, reads_pairs) for texts in (beginnings, PARITY_TEXTS))
    single = [run_rows(session, tokenizer, batch)[0] for batch in alone([*items, *growing])]
    batched = [row for batch in [*batches(items), growing] for row in run_rows(session, tokenizer, batch)]
    return max(float(np.abs(one - other).max()) for one, other in zip(single, batched, strict=True))


def _as_items(texts: Sequence[str], reads_pairs: bool) -> list[Item]:
    return [(text, PARITY_TEXTS[1]) if reads_pairs else text for text in texts]


def alone(items: Sequence[Item]) -> list[Sequence[Item]]:
    return [[item] for item in items]


def batches(items: Sequence[Item]) -> list[Sequence[Item]]:
    return [items[start : start + BATCH] for start in range(0, len(items), BATCH)]
