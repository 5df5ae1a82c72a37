"""Figures of scores: how well a number separates or orders, whatever its threshold.

A figure that its rows do not define is nan: the AUC of one kind alone, a correlation with a constant.
"""

import numpy as np
from numpy.typing import NDArray


def average_ranks(values: np.ndarray) -> np.ndarray:
    """Ranks from 1, float64; equal values share the mean of their ranks."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return (last - (counts - 1) / 2)[place]


def roc_auc(scores: NDArray[np.float64], positive: NDArray[np.bool_]) -> float:
    """Probability that a positive row outscores a negative one, ties counting half.

    (R - P (P + 1) / 2) / (P N), where R is the positives' sum of average ranks: the Mann-Whitney statistic
    (Hanley and McNeil, Radiology 143, 1982). `positive` is bool.
    """
    ones, zeros = int(positive.sum()), int((~positive).sum())
    if not ones or not zeros:
        return float("nan")
    ranks = average_ranks(scores)[positive].sum()
    return float((ranks - ones * (ones + 1) / 2) / (ones * zeros))


def spearman(first: np.ndarray, second: np.ndarray) -> float:
    """Pearson's correlation of the average ranks (Spearman, 1904)."""
    a, b = (ranks - ranks.mean() for ranks in (average_ranks(first), average_ranks(second)))
    spread = np.sqrt((a * a).sum() * (b * b).sum())
    return float((a * b).sum() / spread) if spread else float("nan")


def best_accuracy(scores: NDArray[np.float64], positive: NDArray[np.bool_]) -> tuple[float, float]:
    """(threshold, accuracy): where calling `scores >= threshold` positive is right most often.

    The threshold lies half-way between two scores; the highest of several equally good ones, and above every
    score where calling nothing positive is best.
    """
    order = np.argsort(-scores, kind="stable")
    ranked, hits = scores[order], positive[order]
    right = np.append(0, np.cumsum(np.where(hits, 1, -1))) + int((~positive).sum())  # with the first i called positive
    cut = np.append(True, np.append(ranked[1:] != ranked[:-1], True))  # not between two equal scores
    best = int(np.argmax(np.where(cut, right, -1)))
    above = ranked[best - 1] if best else np.nextafter(ranked[0], np.inf)
    below = ranked[best] if 0 < best < len(ranked) else above
    return float((above + below) / 2), float(right[best] / len(scores))


def mean_score(scores: NDArray[np.float64], chosen: np.ndarray) -> float:
    """The mean score of the rows `chosen`, bool."""
    return float(scores[chosen].mean()) if chosen.any() else float("nan")
