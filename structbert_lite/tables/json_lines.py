"""JSON lines: an object a line."""

import json
from collections.abc import Iterator
from typing import Any

from structbert_lite.tables.source import InputFile, to_bytes
from structbert_lite.tables.window import Column, Kind, Record, Window, group

KINDS: dict[type, Kind] = {str: "text", int: "int", float: "float", bool: "bool"}


class JsonLinesSource:
    """Rows may have different fields. A line that is no object is a row with a fault; an empty one is none."""

    def __init__(self, origin: InputFile, encoding: str) -> None:
        """Reads a file once to learn its columns. Raises ValueError where no line of it is a JSON object."""
        self._origin, self._encoding = origin, encoding
        self.columns, self.total = None, None
        if origin.is_file:
            kinds: dict[str, set[Kind | None]] = {}
            self.total = 0
            for record in self._records():
                self.total += 1
                for name, value in record.values.items():
                    kinds.setdefault(name, set()).add(_kind(value))
            if not kinds:
                raise ValueError(f"{origin.name} has no line with a JSON object")
            self.columns = [Column(name, _common(found)) for name, found in kinds.items()]

    def windows(self, size: int, skip: int) -> Iterator[Window]:
        """As Source says."""
        records = self._records()
        for _ in range(skip):
            next(records)
        return group(records, size)

    def _records(self) -> Iterator[Record]:
        with self._origin.open_text(self._encoding, "\n") as file:
            for number, line in enumerate(file, start=1):
                if not line.isspace():
                    yield _record(line, number)


class JsonLinesSink:
    """Writes each row's own fields and then the results."""

    def __init__(self, results: list[Column]) -> None:
        self._names = [column.name for column in results]

    def head(self) -> bytes:
        return b""

    def rows(self, window: Window, results: list[tuple[Any, ...]]) -> bytes:
        """As Sink says."""
        lines = []
        for record, found in zip(window.records, results, strict=True):
            row = record.values | dict(zip(self._names, found, strict=True))
            lines.append(json.dumps(row, ensure_ascii=False, default=str) + "\n")
        return to_bytes(lines, "utf-8")

    def finish(self, path: str) -> str:
        return path


def _record(line: str, number: int) -> Record:
    try:
        values = json.loads(line)
    except (ValueError, RecursionError) as error:
        return Record({}, f"line {number} is not JSON: {error}")
    return Record(values) if isinstance(values, dict) else Record({}, f"line {number} is not a JSON object")


def _kind(value: Any) -> Kind | None:
    if value is None:
        return None
    kind = KINDS.get(type(value), "json")
    return "json" if kind == "int" and not -(2**63) <= value < 2**63 else kind


def _common(kinds: set[Kind | None]) -> Kind:
    """The one kind that all values of a column fit."""
    found = {kind for kind in kinds if kind is not None}
    if found == {"int", "float"}:
        return "float"
    return found.pop() if len(found) == 1 else "json" if found else "text"
