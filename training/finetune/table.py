"""Rows of a user's file, as spreadsheets in China write them: read by the rules of bulk scoring, and a JSON array."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from structbert_lite.tables.source import UnknownEncoding, read_text
from structbert_lite.tables.table import Table
from structbert_lite.tables.table import read_table as read_rows
from training.finetune.refusal import FinetuneRefused

NOT_TABLES = (".zip", ".gz", ".7z", ".rar")


def read_table(path: Path, columns: tuple[str, str], say: Callable[[str], None]) -> list[tuple[str, str]]:
    """The cells of two `columns`, row by row; a cell that a row lacks is empty.

    .jsonl, .ndjson, .json: an object a line, or one array of objects. Any other as bulk scoring reads it, tab-separated
    where the ending says nothing. `say` is told where it is not UTF-8, and what was read otherwise than it stands.
    Raises FinetuneRefused for an empty or unreadable file, a missing column, and rows with more cells than the header.
    """
    kind = path.suffix.lower()
    if kind in NOT_TABLES:
        raise FinetuneRefused(f"{path.name} is packed; unpack it first")
    try:
        if kind in {".jsonl", ".ndjson", ".json"}:
            text, encoding = read_text(path)
            cells = _read_objects(path.name, text, columns)
        else:
            table = read_rows(path, columns)
            cells, encoding = _read_columns(path.name, table, columns), table.encoding
            for notice in table.notices:
                say(notice)
    except OSError as error:
        raise FinetuneRefused(f"{path} cannot be read: {error.strerror}") from None
    except UnknownEncoding as error:
        raise FinetuneRefused(f"{error}; save it as UTF-8") from None
    except ValueError as error:
        raise FinetuneRefused(str(error)) from None
    if not encoding.startswith("utf-8"):
        say(f"{path.name} is not UTF-8; it was read as {encoding.upper()}")
    return cells


def _read_columns(name: str, table: Table, columns: tuple[str, str]) -> list[tuple[str, str]]:
    if not table.columns:
        raise FinetuneRefused(f"{name} is empty")
    header = [column.strip() for column in table.columns]
    _require(name, columns, header)
    asked = [table.columns[header.index(column)] for column in columns]
    if not table.records:
        raise FinetuneRefused(f"{name} has a header line and no rows under it")
    if ragged := [number for number, record in enumerate(table.records, 1) if record.fault]:
        first = table.records[ragged[0] - 1].fault
        raise FinetuneRefused(
            f"{len(ragged)} of {len(table.records)} rows of {name} do not fit its header (row {ragged[0]}: {first}). "
            "Put cells with commas or line ends in double quotes, or save the sheet anew as CSV or XLSX"
        )
    return [tuple(str(record.values.get(column) or "") for column in asked) for record in table.records]


def _read_objects(name: str, text: str, columns: tuple[str, str]) -> list[tuple[str, str]]:
    if not text.strip():
        raise FinetuneRefused(f"{name} is empty")
    array = text.lstrip().startswith("[")
    parts = [(1, text)] if array else [(n, line) for n, line in enumerate(text.split("\n"), 1) if line.strip()]
    objects: list[tuple[str, Any]] = []
    for number, part in parts:
        try:
            content = json.loads(part)
        except ValueError as error:
            raise FinetuneRefused(f"line {number} of {name} is not valid JSON: {error}") from None
        objects += [(f"item {n}", o) for n, o in enumerate(content, 1)] if array else [(f"line {number}", content)]
    if wrong := next((where for where, o in objects if not isinstance(o, dict)), None):
        raise FinetuneRefused(f"{wrong} of {name} is not an object with names and values")
    _require(name, columns, list(dict.fromkeys(key for _, o in objects for key in o)))
    return [tuple(_cell(name, where, column, o.get(column)) for column in columns) for where, o in objects]


def _cell(name: str, where: str, column: str, value: Any) -> str:
    if isinstance(value, dict | list):
        raise FinetuneRefused(f"{column} in {where} of {name} is a {type(value).__name__}, not a text")
    return "" if value is None else value if isinstance(value, str) else json.dumps(value)


def _require(name: str, columns: tuple[str, str], there: list[str]) -> None:
    for option, column in zip(("--text-column", "--label-column"), columns, strict=True):
        if column not in there:
            known = ", ".join(there) or "none"
            raise FinetuneRefused(f"{name} has no column {column!r}; it has: {known}. Say which with {option}")
