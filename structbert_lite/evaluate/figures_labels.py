"""Figures of predicted labels. A label is whatever can be compared: a name or a number."""

from collections.abc import Hashable, Sequence

import numpy as np


def accuracy(found: Sequence[Hashable], expected: Sequence[Hashable]) -> float:
    """Share of the labels that are the expected ones."""
    return float(np.mean([label == truth for label, truth in zip(found, expected, strict=True)]))


def confusion(found: Sequence[Hashable], expected: Sequence[Hashable], labels: Sequence[Hashable]) -> np.ndarray:
    """How often [truth, label] came together, int64 [labels, labels]. Raises KeyError for a label not among them."""
    number = {label: index for index, label in enumerate(labels)}
    counts = np.zeros((len(labels), len(labels)), np.int64)
    for label, truth in zip(found, expected, strict=True):
        counts[number[truth], number[label]] += 1
    return counts


def f1(found: Sequence[Hashable], expected: Sequence[Hashable], label: Hashable) -> float:
    """2 TP / (2 TP + FP + FN) of one label (van Rijsbergen, Information Retrieval, 1979); 0 where it never occurs."""
    together = sum(a == label == b for a, b in zip(found, expected, strict=True))
    either = sum(a == label for a in found) + sum(b == label for b in expected)
    return 2 * together / either if either else 0.0


def macro_f1(found: Sequence[Hashable], expected: Sequence[Hashable]) -> float:
    """The mean of each label's F1, over all labels that occur on either side (Sokolova and Lapalme, 2009)."""
    return float(np.mean([f1(found, expected, label) for label in {*found, *expected}]))
