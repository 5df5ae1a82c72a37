"""Labelled rows: a user's file, or the built-in pairs."""

from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np

from structbert_lite.manifest import Manifest
from structbert_lite.tables.table import read_table

Row = TypeVar("Row")
PERTURBATION = Path(__file__).parent / "data" / "perturbation.tsv"
LABELS = ("unrelated", "weak", "strong")
KINDS = ("strong", "weak", "sense", "length", "noise")


def read_rows(file: Path, needed: Sequence[str]) -> list[dict[str, str]]:
    """The rows of `file` by column name, blank lines skipped.

    The file's ending says what it is, by the rules of bulk scoring; any other is tab-separated. Raises ValueError when
    the file cannot be read, or it has no rows, lacks one of the columns `needed`, or has a row without one of them or
    with cells that the header has no name for.
    """
    table = read_table(file, tuple(needed))
    header, rows = table.columns, [record.values for record in table.records]
    if absent := [name for name in needed if name not in header]:
        wanted = " and ".join(filter(None, [", ".join(needed[:-1]), needed[-1]]))
        raise ValueError(f"{file} has the columns {', '.join(header)}; it needs {wanted} ({absent[0]} is missing)")
    if not rows:
        raise ValueError(f"{file} has no rows under its header line")
    for number, row in enumerate(rows, start=1):
        if fault := table.records[number - 1].fault:
            raise ValueError(f"row {number} of {file} cannot be read: {fault}")
        if absent := [name for name in needed if name not in row]:
            raise ValueError(f"row {number} of {file} has no {absent[0]}")
    return rows


def label_numbers(file: Path, rows: Sequence[dict[str, str]], names: Sequence[str]) -> list[int]:
    """The column `label` of `rows` as indexes into `names`; a file may hold names or, where no name is one, numbers.

    Raises ValueError, with the row's number, for anything else.
    """
    known = {name: index for index, name in enumerate(names)}
    if not any(name.isdecimal() for name in names):  # stars from 1 to 5 are names
        known |= {str(index): index for index in range(len(names))}
    for number, row in enumerate(rows, start=1):
        if row["label"] not in known:
            raise ValueError(f"row {number} of {file} has the label {row['label']!r}, not one of {', '.join(known)}")
    return [known[row["label"]] for row in rows]


def judged_labels(manifest: Manifest, rows: Sequence[dict[str, str]]) -> tuple[str, ...]:
    """The labels among which a sentiment model has to choose for such rows: its own, in their order.

    A model that knows Neutral is asked for one of the two opinions, as a server is, unless some row's label is Neutral.
    """
    opinions = manifest.answered_labels(neutral=False)
    return opinions if {row["label"] for row in rows} <= {*opinions, "0", "1"} else manifest.labels


def take_sample(rows: Sequence[Row], count: int | None) -> list[Row]:
    """`count` of the rows in their order, drawn at random but the same every time; all where there are no more."""
    if not count or count >= len(rows):
        return list(rows)
    return [rows[i] for i in sorted(np.random.default_rng(0).choice(len(rows), count, replace=False))]
