"""Platt scaling: logits -> probabilities sigmoid(scale * logit + bias), fitted to labelled pairs.

Newton's method with line search on the log loss, with Platt's (1999) targets, as corrected by Lin, Lin and Weng
(2007, "A note on Platt's probabilistic outputs"): (positives + 1) / (positives + 2) and 1 / (negatives + 2) in place
of 1 and 0 keep the scale finite where the labels can be told apart without error.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

STEPS = 100
ENOUGH = 1e-9  # of the gradient


def fit_platt(logits: NDArray[np.floating], labels: Sequence[int]) -> tuple[float, float]:
    """(scale, bias) with the least log loss on `logits` [pairs] and `labels`, 0 or 1, both of which occur."""
    truth = np.asarray(labels)
    positives, negatives = (truth == 1).sum(), (truth == 0).sum()
    targets = np.where(truth == 1, (positives + 1) / (positives + 2), 1 / (negatives + 2))
    # On standardised logits, so that the steps are well scaled whatever the logits' own size.
    centre, width = float(np.mean(logits)), max(float(np.std(logits)), 1e-9)
    columns = np.stack([(np.asarray(logits, np.float64) - centre) / width, np.ones(len(labels))], axis=1)
    line = np.array([0.0, np.log((positives + 1) / (negatives + 1))])
    for _ in range(STEPS):
        scores = sigmoid(columns @ line)
        gradient = columns.T @ (scores - targets)
        if np.abs(gradient).max() < ENOUGH * len(labels):
            break
        weights = np.maximum(scores * (1 - scores), 1e-12)
        step = np.linalg.solve(columns.T @ (columns * weights[:, None]) + 1e-12 * np.eye(2), gradient)
        size, before = 1.0, _loss(columns @ line, targets)
        while size > 1e-10 and _loss(columns @ (line - size * step), targets) > before:
            size /= 2
        line = line - size * step
    return float(line[0] / width), float(line[1] - line[0] * centre / width)


def sigmoid(values: NDArray[np.floating]) -> NDArray[np.float64]:
    """1 / (1 + exp(-x)) without overflow, float64."""
    return np.exp(-np.logaddexp(0.0, -np.asarray(values, np.float64)))


def _loss(values: NDArray[np.float64], targets: NDArray[np.float64]) -> float:
    return float((np.logaddexp(0.0, values) - targets * values).sum())
