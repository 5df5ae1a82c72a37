"""Pairs of texts: made from single ones for calibration and checks, or read with labels from a file."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from export.encoding import Pair
from export.refusal import ExportRefused
from structbert_lite.tables.formats import ENDINGS, READ_ONLY
from structbert_lite.tables.source import UnknownEncoding
from structbert_lite.tables.table import read_table

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
    """The rows of a TSV or CSV file, UTF-8 or GB18030, with the columns text_a, text_b and label (0 or 1).

    Raises ExportRefused when it is missing, malformed, or has fewer than LEAST pairs of a label.
    """
    try:
        known = path.suffix.lower() not in {".tsv", ".tab", ".txt"} and path.suffix.lower() in ENDINGS | READ_ONLY
        table = read_table(path, COLUMNS, form=None if known else "txt", quoted=True)
    except OSError as error:
        raise ExportRefused(f"the file of pairs {path} cannot be read: {error.strerror}") from None
    except UnknownEncoding as error:
        raise ExportRefused(f"the file of pairs is not UTF-8 or GB18030 TSV or CSV: {error}") from None
    except ValueError as error:
        raise ExportRefused(f"the file of pairs cannot be read: {error}") from None
    rows = [{name: record.values.get(name, "") for name in COLUMNS} for record in table.records]
    if not rows or not set(COLUMNS) <= set(table.columns):
        raise ExportRefused(f"the file of pairs {path} needs rows under a header with {', '.join(COLUMNS)}")
    for number, row in enumerate(rows, 2):
        if row["label"] not in ("0", "1") or not row["text_a"] or not row["text_b"]:
            raise ExportRefused(f"row {number} of {path} is no pair with the label 0 or 1")
    labels = [int(row["label"]) for row in rows]
    for label in (0, 1):
        if labels.count(label) < LEAST:
            raise ExportRefused(f"{path} has {labels.count(label)} pairs with the label {label}, {LEAST} are needed")
    return LabelledPairs([(row["text_a"], row["text_b"]) for row in rows], labels)
