"""Whether an encoder's int8 vectors, and the scores made of them, are those of the checkpoint."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from transformers import PreTrainedModel

from export.checks import PARITY_BOUND, batch_difference
from export.encoding import Pair, encode
from export.matcher import FoldedMatcher
from export.refusal import ExportRefused
from export.session import open_session, run_vectors
from export.siamese import SiameseHead


def check_matcher(
    model: PreTrainedModel,
    head: SiameseHead,
    pooling: str,
    path: Path,
    tokenizer: Tokenizer,
    pairs: Sequence[Pair],
) -> float:
    """The largest |difference of a pair's logit| between PyTorch in evaluation mode and ONNX with the folded matcher.

    Both make everything from the texts; PyTorch pools by itself and has BatchNorm as a layer of its own.
    Raises ExportRefused above PARITY_BOUND, for logits beyond 1 above that part of the largest.
    """
    sides = [list(texts) for texts in zip(*pairs, strict=True)]
    session, matcher = open_session(path), head.fold()
    names = [node.name for node in session.get_inputs()]
    with torch.inference_mode():
        expected = head(*(_torch_vectors(model, pooling, encode(tokenizer, texts, names)) for texts in sides)).numpy()
    found = matcher.logits(*(run_vectors(session, tokenizer, texts) for texts in sides))
    difference = float(np.abs(expected - found).max())
    limit = PARITY_BOUND * max(1.0, float(np.abs(expected).max()))
    if not difference <= limit:
        raise ExportRefused(
            f"the folded matcher differs from PyTorch by {difference:.1e} in a pair's logit (the limit is {limit:.1e})"
        )
    return difference


def check_int8_vectors(
    float32: Path,
    int8: Path,
    tokenizer: Tokenizer,
    texts: Iterable[str],
    min_agreement: float,
    scorer: tuple[FoldedMatcher, Sequence[Pair]] | None = None,
) -> dict[str, Any]:
    """How far the int8 vectors of `texts` are from the float32 ones; facts for the manifest.

    `scorer`: a matcher, and the pairs on whose logits its effect is shown. Every text is read alone. Raises
    ExportRefused when the mean cosine is under `min_agreement`.
    """
    reference, session = open_session(float32), open_session(int8)
    texts = list(texts)
    expected, found = (_alone(graph, tokenizer, texts) for graph in (reference, session))
    if not np.isfinite(found).all():
        raise ExportRefused("the int8 model gives vectors that are not finite")
    norms = np.linalg.norm(expected, axis=1) * np.linalg.norm(found, axis=1)
    cosines = (expected * found).sum(axis=1) / np.maximum(norms, 1e-12)
    if cosines.mean() < min_agreement:
        raise ExportRefused(
            f"the int8 model's vectors have a mean cosine of {cosines.mean():.4f} with the float32 model's over "
            f"{len(texts)} texts, the bound is {min_agreement:.4f}"
        )
    facts: dict[str, Any] = {
        "texts": len(texts),
        "mean_cosine": float(cosines.mean()),
        "lowest_cosine": float(cosines.min()),
        "min_agreement": min_agreement,
    }
    if scorer is not None:
        matcher, pairs = scorer
        sides = [list(side) for side in zip(*pairs, strict=True)]
        logits = [matcher.logits(*(_alone(graph, tokenizer, side) for side in sides)) for graph in (reference, session)]
        facts |= {
            "pairs": len(pairs),
            "max_logit_difference": float(np.abs(logits[0] - logits[1]).max()),
            "mean_logit_difference": float(np.abs(logits[0] - logits[1]).mean()),
            "logit_spread": float(logits[0].std()),
        }
    return facts | {"batch_max_difference": batch_difference(session, tokenizer)}


def _alone(session: Any, tokenizer: Tokenizer, texts: Sequence[str]) -> NDArray[np.float32]:
    """float32 [texts, n], each text read by itself."""
    return np.concatenate([run_vectors(session, tokenizer, [text]) for text in texts])


def _torch_vectors(model: PreTrainedModel, pooling: str, inputs: dict[str, NDArray[np.int64]]) -> torch.Tensor:
    tensors = {name: torch.from_numpy(array) for name, array in inputs.items()}
    tokens: torch.Tensor = model(**tensors).last_hidden_state
    if pooling == "cls":
        return tokens[:, 0]
    mask = tensors["attention_mask"][..., None].float()
    return (tokens * mask).sum(dim=1) / mask.sum(dim=1)
