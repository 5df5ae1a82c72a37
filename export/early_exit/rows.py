"""The texts that exits are fitted to and checked on."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from export.refusal import ExportRefused
from export.texts import read_texts
from structbert_lite.tables.table import read_table

TABLES = {".tsv", ".csv"}
LEAST = 1_000  # texts: a quarter of them is what the agreement is measured on
SEED = 20


@dataclass(frozen=True, slots=True)
class Row:
    """A text, and its label where the file has one."""

    text: str
    label: str | None


@dataclass(frozen=True, slots=True)
class Split:
    """Half of the rows, and a quarter each."""

    fit: list[Row]
    choose: list[Row]
    check: list[Row]


def read_rows(path: Path, labels: Sequence[str]) -> Split:
    """The different texts of a file, in an order of their own.

    .tsv and .csv have a column `text` and perhaps one `label`, whose cells are empty or name one of `labels`, in any
    case; any other file has a text a line. Raises ExportRefused for what cannot be read and for fewer than LEAST texts.
    """
    rows = (
        _read_table(path, labels) if path.suffix.lower() in TABLES else [Row(text, None) for text in read_texts(path)]
    )
    rows = list({row.text: row for row in rows}.values())
    if len(rows) < LEAST:
        raise ExportRefused(f"{path} has {len(rows)} different texts, early exit needs {LEAST:,} or more")
    order = np.random.default_rng(SEED).permutation(len(rows))
    half, rest = len(rows) // 2, 3 * len(rows) // 4
    fit, choose, check = ([rows[i] for i in part] for part in np.split(order, [half, rest]))
    return Split(fit, choose, check)


def _read_table(path: Path, labels: Sequence[str]) -> list[Row]:
    try:
        table = read_table(path, ("text",))
    except OSError as error:
        raise ExportRefused(f"the file of texts {path} cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise ExportRefused(f"the file of texts {path} cannot be read: {error}") from None
    if "text" not in table.columns:
        raise ExportRefused(f"{path} has no column named text")
    known = {label.casefold(): label for label in labels} | {"": None}
    rows = []
    for record in table.records:
        text, label = (record.values.get(name, "").strip() for name in ("text", "label"))
        if label.casefold() not in known:
            raise ExportRefused(f"{path} has the label {label}, the model has {', '.join(labels)}")
        if text:
            rows.append(Row(text, known[label.casefold()]))
    return rows
