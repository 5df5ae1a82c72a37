"""Numbers from rounds: medians, the best of several settings, the largest change of a score."""

from collections.abc import Mapping, Sequence
from math import isnan
from statistics import median

Scores = list[dict[str, float]]  # for each text: label -> probability


def median_of(rows: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """The median of each figure over rounds; all rows have the same names. Raises StatisticsError without rows."""
    return {name: median(row[name] for row in rows) for name in rows[0]}


def best_setting(per_second: Mapping[str, float]) -> str:
    """The name with the most texts a second; the first of equals. Raises ValueError without any."""
    return max(per_second, key=lambda name: per_second[name])


def largest_change(alone: Scores, again: Scores) -> float:
    """The largest |difference| of any label's probability of the same texts in the same order.

    Raises ValueError when the texts or the labels are not the same, or a probability is not a number.
    """
    changes = [0.0]
    for first, second in zip(alone, again, strict=True):
        if first.keys() != second.keys():
            raise ValueError(f"labels {sorted(first)} against {sorted(second)}")
        changes += [abs(first[label] - second[label]) for label in first]
    if any(map(isnan, changes)):
        raise ValueError("a probability is not a number")
    return max(changes)
