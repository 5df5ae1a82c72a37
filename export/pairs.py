"""Pairs of texts: made from single ones for calibration and checks, or read with labels from a file."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from export.encoding import Pair
from export.refusal import ExportRefused

COLUMNS = ("text_a", "text_b", "label")
LEAST = 10  # pairs of each label, for a line through two numbers


@dataclass(frozen=True, slots=True)
class LabelledPairs:
    """Pairs and whether they are positive."""

    pairs: list[Pair]
    labels: list[int]  # 0 or 1


def make_pairs(texts: Sequence[str]) -> list[Pair]:
    """One pair for each text: by turns with the next text and with its own beginning, so that both answers occur."""
    return [
        (text, text[: 1 + len(text) // 2] if index % 2 else texts[(index + 1) % len(texts)])
        for index, text in enumerate(texts)
    ]


def read_pairs(path: Path) -> LabelledPairs:
    """The rows of a UTF-8 TSV or CSV file with the columns text_a, text_b and label (0 or 1).

    Raises ExportRefused when it is missing, malformed, or has fewer than LEAST pairs of a label.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            header = file.readline()
            file.seek(0)
            rows = list(csv.DictReader(file, delimiter="\t" if "\t" in header else ",", strict=True))
    except OSError as error:
        raise ExportRefused(f"the file of pairs {path} cannot be read: {error.strerror}") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise ExportRefused(f"the file of pairs {path} is not UTF-8 TSV or CSV: {error}") from None
    if not rows or not set(COLUMNS) <= rows[0].keys():
        raise ExportRefused(f"the file of pairs {path} needs rows under a header with {', '.join(COLUMNS)}")
    for number, row in enumerate(rows, 2):
        if row["label"] not in ("0", "1") or not row["text_a"] or not row["text_b"]:
            raise ExportRefused(f"row {number} of {path} is no pair with the label 0 or 1")
    labels = [int(row["label"]) for row in rows]
    for label in (0, 1):
        if labels.count(label) < LEAST:
            raise ExportRefused(f"{path} has {labels.count(label)} pairs with the label {label}, {LEAST} are needed")
    return LabelledPairs([(row["text_a"], row["text_b"]) for row in rows], labels)
