"""How much a score depends on the batch that it was computed in.

The same inputs are scored several times, each time shuffled into other batches of one size. A model whose rows
do not touch one another gives the same scores every time; one that takes a scale over its whole batch does not.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SIZES = (1, 2, 4, 8, 16, 32)  # of batches
THRESHOLD = 0.7
OUTLIERS = 0.45, 0.55  # scores from which nothing can be decided


@dataclass(frozen=True, slots=True)
class Stability:
    """Figures of one batch size, scores being between 0 and 1.

    `delta_threshold`: share of the strong inputs that score at least THRESHOLD minus the share of the others
    that do, the mean over the shuffles, from `delta_lowest` to `delta_highest`. `rank_sigma`: the standard
    deviation of an input's score over the shuffles, the mean over the inputs; `rank_swing`: highest minus lowest
    score of the input that moves most. `outlier_rate`: share of scores within OUTLIERS, both ends included.
    `threshold` is where `best_delta` is highest over all scores of all shuffles.
    """

    delta_threshold: float
    delta_lowest: float
    delta_highest: float
    rank_sigma: float
    rank_swing: float
    outlier_rate: float
    threshold: float
    best_delta: float


@dataclass(frozen=True, slots=True)
class BatchFigures:
    """One file at one batch size. `same_bits`: every logit has the bits it had alone, in every shuffle."""

    batch: int
    stability: Stability
    same_bits: bool
    batch_ms: float  # median of the full batches: tokenization and one run on one thread
    per_second: float
    peak_mb: float  # of the process, while it ran batches of this size


def measure_stability(scores: NDArray[np.float64], strong: NDArray[np.bool_]) -> Stability:
    """The figures of `scores`, float64 [shuffles, inputs]; `strong` is bool [inputs].

    Raises ValueError unless there are both strong inputs and others.
    """
    moved = scores - scores[0]  # so that scores that never move give exactly 0: a mean of equals may be rounded
    deltas = [threshold_gain(row, strong, THRESHOLD) for row in scores]
    low, high = OUTLIERS
    threshold, best = suggest_threshold(scores.ravel(), np.tile(strong, len(scores)))
    return Stability(
        delta_threshold=float(np.mean(deltas)),
        delta_lowest=min(deltas),
        delta_highest=max(deltas),
        rank_sigma=float(moved.std(axis=0).mean()),
        rank_swing=float(np.ptp(moved, axis=0).max()),
        outlier_rate=float(((scores >= low) & (scores <= high)).mean()),
        threshold=threshold,
        best_delta=best,
    )


def threshold_gain(scores: NDArray[np.float64], strong: NDArray[np.bool_], threshold: float) -> float:
    """Recall of the strong inputs at `threshold` minus the false alarms among the others, -1 to 1.

    This is Youden's J (Cancer 3, 1950, page 32) at that threshold. Raises ValueError unless there are both kinds.
    """
    _check_both_kinds(strong)
    alarms = scores >= threshold
    return float(alarms[strong].mean() - alarms[~strong].mean())


def suggest_threshold(scores: NDArray[np.float64], strong: NDArray[np.bool_]) -> tuple[float, float]:
    """(threshold, gain): where `threshold_gain` is highest; the highest such threshold when several are.

    It lies half-way between two scores, so that rounding it changes nothing. Raises ValueError unless there are
    both kinds.
    """
    _check_both_kinds(strong)
    order = np.argsort(-scores, kind="stable")
    ranked, hits = scores[order], strong[order]
    gains = np.cumsum(hits) / hits.sum() - np.cumsum(~hits) / (~hits).sum()
    last_of_equals = np.append(ranked[1:] != ranked[:-1], True)
    best = int(np.argmax(np.where(last_of_equals, gains, -np.inf)))
    below = ranked[best + 1] if best + 1 < len(ranked) else ranked[best]
    return float((ranked[best] + below) / 2), float(gains[best])


def probability_of(logits: NDArray[np.float32], label: int) -> NDArray[np.float64]:
    """The softmax's column `label` of `logits` [..., labels], float64 and not rounded."""
    wide = logits.astype(np.float64)
    powers = np.exp(wide - wide.max(axis=-1, keepdims=True))
    share: NDArray[np.float64] = powers[..., label] / powers.sum(axis=-1)
    return share


def sigmoid(logits: NDArray[np.float32]) -> NDArray[np.float64]:
    """1 / (1 + exp(-z)), float64 and not rounded; no z overflows."""
    wide = logits.astype(np.float64)
    power = np.exp(-np.abs(wide))
    return np.where(wide >= 0, 1.0, power) / (1.0 + power)


def _check_both_kinds(strong: NDArray[np.bool_]) -> None:
    if strong.all() or not strong.any():
        raise ValueError("a threshold needs strong inputs and others, and there is only one kind")
