"""How good a classifier is on dev rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.metrics import confusion_matrix, log_loss, precision_recall_fscore_support


@dataclass(frozen=True, slots=True)
class Figures:
    """`confusion`: int64 [labels, labels], how often [truth, found] came together; shares are between 0 and 1."""

    accuracy: float
    macro_f1: float
    loss: float  # mean of -log of the true label's probability
    by_label: dict[str, dict[str, float]]  # precision, recall, f1, rows
    confusion: np.ndarray

    def as_json(self) -> dict[str, Any]:
        names = ("accuracy", "macro_f1", "loss", "by_label")
        return {name: getattr(self, name) for name in names} | {"confusion": self.confusion.tolist()}


def measure(probabilities: np.ndarray, truth: Sequence[int], labels: Sequence[str]) -> Figures:
    """Figures of `probabilities` [rows, labels] against `truth`, indexes into `labels`."""
    numbers = range(len(labels))
    found = probabilities.argmax(1)
    precision, recall, f1, rows = precision_recall_fscore_support(truth, found, labels=numbers, zero_division=0)
    columns = {"precision": precision, "recall": recall, "f1": f1, "rows": rows}
    return Figures(
        accuracy=float(np.mean(found == np.asarray(truth))),
        macro_f1=float(f1.mean()),
        loss=float(log_loss(truth, probabilities, labels=numbers)),
        by_label={
            label: {name: values[i].item() for name, values in columns.items()} for i, label in enumerate(labels)
        },
        confusion=confusion_matrix(truth, found, labels=numbers),
    )
