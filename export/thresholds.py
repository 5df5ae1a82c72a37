"""From which score a pair is called similar, and below which different.

high: the smallest score s such that 90 % of the pairs that score s or more are positive; where there is none, the same
with 80, 70, 60 and 50 %. low: the largest score s such that at most 10 % of the pairs that score less than s are
positive; at most `high`. Between the two a pair is neither.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

PRECISIONS = (0.9, 0.8, 0.7, 0.6, 0.5)
LOW_SHARE = 0.1
DEFAULT_LOW, DEFAULT_HIGH = 0.3, 0.7


@dataclass(frozen=True, slots=True)
class Chosen:
    """`precision`: of the pairs from `high` on; `below`: the share of positive pairs below `low`; None: default."""

    low: float
    high: float
    precision: float | None
    below: float | None


def choose_thresholds(scores: NDArray[np.float64], labels: Sequence[int]) -> Chosen:
    """The rule above on `scores` [pairs] from 0 to 1 and `labels` (0 or 1)."""
    truth = np.asarray(labels)
    candidates = np.unique(scores)
    above = np.array([truth[scores >= s].mean() for s in candidates])
    high, precision = DEFAULT_HIGH, None
    for wanted in PRECISIONS:
        if (above >= wanted).any():
            place = int(np.argmax(above >= wanted))
            high, precision = float(candidates[place]), float(above[place])
            break
    below = [truth[scores < s].mean() if (scores < s).any() else 0.0 for s in candidates]
    place = int(np.flatnonzero(np.array(below) <= LOW_SHARE)[-1])
    low = min(float(candidates[place]), high)
    return Chosen(low, high, precision, float(truth[scores < low].mean()) if (scores < low).any() else 0.0)
