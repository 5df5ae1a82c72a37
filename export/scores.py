"""Calibration and thresholds of a similarity model: fitted to labelled pairs, stated by the checkpoint, or neither."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from export.encoding import Pair
from export.json_file import read_json
from export.matcher import FoldedMatcher
from export.pairs import LabelledPairs
from export.platt import fit_platt, sigmoid
from export.refusal import ExportRefused
from export.session import open_session, run, run_vectors
from export.thresholds import DEFAULT_HIGH, DEFAULT_LOW, choose_thresholds
from structbert_lite.manifest import Calibration, Thresholds

FILE_NAME = "calibration.json"
Found = tuple[Calibration, Thresholds, dict[str, Any]]  # the last: facts for the manifest's checks


def fit_scores(int8: Path, tokenizer: Tokenizer, matcher: FoldedMatcher | None, labelled: LabelledPairs) -> Found:
    """Platt's line and the thresholds from the int8 model's own logits of labelled pairs, each read alone.

    Raises ExportRefused when a higher logit does not mean more similar.
    """
    logits = pair_logits(int8, tokenizer, matcher, labelled.pairs)
    scale, bias = fit_platt(logits, labelled.labels)
    if not scale > 0:
        raise ExportRefused(
            f"the pairs that are labelled 1 have lower logits than the others (a scale of {scale:.3g} would fit); "
            "are the labels of --calibration the right way round?"
        )
    scores = sigmoid(scale * logits + bias)
    chosen = choose_thresholds(scores, labelled.labels)
    right = (scores >= 0.5) == (np.asarray(labelled.labels) == 1)
    facts = {
        "source": "--calibration",
        "pairs": len(labelled.pairs),
        "positives": sum(labelled.labels),
        "accuracy_at_half": float(right.mean()),
        "precision_from_high": chosen.precision,
        "positives_below_low": chosen.below,
        "rule": "high: least score with precision 0.9 (or 0.8 to 0.5); low: largest below which 10 % are positive",
    }
    return Calibration(scale=scale, bias=bias), Thresholds(low=chosen.low, high=chosen.high), facts


def read_scores(folder: Path) -> Found:
    """What the checkpoint's calibration.json says, or the uncalibrated defaults where there is none.

    Raises ExportRefused when it lacks one of scale, bias, low and high or they make no sense.
    """
    given = read_json(folder / FILE_NAME)
    if not given:
        return Calibration(), Thresholds(low=DEFAULT_LOW, high=DEFAULT_HIGH), {"source": "none"}
    numbers: list[Any] = [given.get(name) for name in ("scale", "bias", "low", "high")]
    if not all(type(number) in (int, float) and np.isfinite(number) for number in numbers):
        raise ExportRefused(f"{FILE_NAME} has to hold the numbers scale, bias, low and high")
    scale, bias, low, high = numbers
    if not (scale > 0 and 0 <= low <= high <= 1):
        raise ExportRefused(f"{FILE_NAME} has to have scale > 0 and 0 <= low <= high <= 1")
    return Calibration(scale=scale, bias=bias), Thresholds(low=low, high=high), {"source": FILE_NAME}


def pair_logits(
    path: Path, tokenizer: Tokenizer, matcher: FoldedMatcher | None, pairs: list[Pair]
) -> NDArray[np.float32]:
    """float32 [pairs]: the matcher's logits, or of a cross-encoder with two logits the second less the first."""
    session = open_session(path)
    if matcher is None:
        logits = np.concatenate([run(session, tokenizer, [pair]) for pair in pairs])
        margins: NDArray[np.float32] = logits[:, 1] - logits[:, 0]
        return margins
    texts = list(dict.fromkeys(text for pair in pairs for text in pair))
    vectors = {text: run_vectors(session, tokenizer, [text])[0] for text in texts}
    return matcher.logits(*(np.stack([vectors[text] for text in side]) for side in zip(*pairs, strict=True)))
