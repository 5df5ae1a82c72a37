"""How often a classifier is right."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Accuracy:
    """`right` of `rows` labels are the expected ones; `share` is between 0 and 1."""

    rows: int
    right: int

    @property
    def share(self) -> float:
        return self.right / self.rows


def accuracy_by_group(found: Sequence[str], expected: Sequence[str], groups: Sequence[str]) -> dict[str, Accuracy]:
    """The accuracy of each group of rows, in order of first appearance."""
    verdicts: dict[str, list[bool]] = {}
    for label, truth, group in zip(found, expected, groups, strict=True):
        verdicts.setdefault(group, []).append(label == truth)
    return {group: Accuracy(len(rows), sum(rows)) for group, rows in verdicts.items()}
