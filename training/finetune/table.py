"""Rows of a user's file: CSV, TSV or JSON Lines, as spreadsheets in China write them."""

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from training.finetune.refusal import FinetuneRefused

LONGEST_CELL = 1 << 24  # a quote that is never closed would read all the rest of the file as one cell
NOT_TABLES = (".xlsx", ".xls", ".parquet", ".zip", ".gz")


def read_table(path: Path, columns: tuple[str, str], say: Callable[[str], None]) -> list[tuple[str, str]]:
    """The cells of two `columns`, row by row; a cell that a row lacks is empty.

    .csv: commas, quotes as usual. .jsonl, .ndjson, .json: an object a line, or one array of objects. Any other: tabs,
    quotes are ordinary characters. UTF-8, with or without a mark, or GB18030, or UTF-16 with its mark; `say` is told
    where it is not UTF-8. Raises FinetuneRefused for an empty or unreadable file, and a missing column.
    """
    kind = path.suffix.lower()
    if kind in NOT_TABLES:
        raise FinetuneRefused(f"{path.name} is no text file; save it as CSV (UTF-8) first")
    text = _decode(path, say)
    if not text.strip():
        raise FinetuneRefused(f"{path.name} is empty")
    if kind in {".jsonl", ".ndjson", ".json"}:
        return _read_objects(path.name, text, columns)
    lines = _read_csv(path.name, text) if kind == ".csv" else [x.rstrip("\r").split("\t") for x in text.split("\n")]
    header, *rows = [line for line in lines if any(cell.strip() for cell in line)]
    header = [name.strip() for name in header]
    _require(path.name, columns, header)
    places = [header.index(name) for name in columns]
    cells = [tuple(row[place] if place < len(row) else "" for place in places) for row in rows]
    if not cells:
        raise FinetuneRefused(f"{path.name} has a header line and no rows under it")
    return cells


def _decode(path: Path, say: Callable[[str], None]) -> str:
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise FinetuneRefused(f"{path} cannot be read: {error.strerror}") from None
    encodings = ("utf-16",) if raw[:2] in {b"\xff\xfe", b"\xfe\xff"} else ("utf-8-sig", "gb18030")
    for encoding in encodings:
        try:
            text = raw.decode(encoding)
        except UnicodeDecodeError:
            continue
        if encoding != "utf-8-sig":
            say(f"{path.name} is not UTF-8; it was read as {encoding.upper()}")
        return text
    raise FinetuneRefused(f"{path.name} is neither UTF-8 nor GB18030 text; save it as UTF-8")


def _read_csv(name: str, text: str) -> list[list[str]]:
    csv.field_size_limit(LONGEST_CELL)
    reader = csv.reader(io.StringIO(text, newline=""))
    try:
        return list(reader)
    except csv.Error as error:
        raise FinetuneRefused(
            f"{name} cannot be read beyond line {reader.line_num}: {error}; is a quote not closed?"
        ) from None


def _read_objects(name: str, text: str, columns: tuple[str, str]) -> list[tuple[str, str]]:
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
