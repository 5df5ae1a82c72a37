"""JSON lines: an object a line."""

import json
import math
from collections.abc import Iterator
from itertools import islice
from typing import Any, NoReturn

from structbert_lite.tables.header import unique
from structbert_lite.tables.rows import SAMPLE
from structbert_lite.tables.source import Column, InputFile, Kind, Record, Window, group, to_bytes, to_json

KINDS: dict[type, Kind] = {str: "text", int: "int", float: "float", bool: "bool"}


class JsonLinesSource:
    """Rows may have different fields. A line that is no object is a row with a fault; an empty one is none."""

    def __init__(self, origin: InputFile, encoding: str) -> None:
        """Reads a file once to learn its columns. Raises ValueError where no line of it is a JSON object."""
        self._origin, self._encoding = origin, encoding
        self.columns, self.total = None, None
        self.left_out = self._too_large = 0
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

    @property
    def notices(self) -> list[str]:
        """As Source says."""
        if not self._too_large:
            return []
        return [f"{self._origin.name}: null in place of {self._too_large} number(s) too large for JSON's readers"]

    def sample(self) -> list[Record]:
        """As Source says."""
        return list(islice(self._records(), SAMPLE)) if self._origin.is_file else []

    def windows(self, size: int, skip: int) -> Iterator[Window]:
        """As Source says."""
        records = self._records()
        for _ in range(skip):
            next(records)
        return group(records, size)

    def _records(self) -> Iterator[Record]:
        """Counts anew each time what it leaves out."""
        self.left_out = self._too_large = 0
        place = 0
        for number, record in read_lines(self._origin, self._encoding):
            self.left_out += number - place - 1
            place = number
            self._too_large += len(record.lost)
            yield record


class JsonLinesSink:
    """Writes each row's own fields and then the results."""

    def __init__(self, results: list[Column]) -> None:
        self._names = [column.name for column in results]
        self.notices: list[str] = []

    def head(self) -> bytes:
        return b""

    def rows(self, window: Window, results: list[tuple[Any, ...]]) -> bytes:
        """As Sink says."""
        lines = []
        for record, found in zip(window.records, results, strict=True):
            row = record.values | dict(zip(self._names, found, strict=True))
            lines.append(to_json(row) + "\n")
        return to_bytes(lines, "utf-8")

    def finish(self, path: str) -> str:
        return path


def read_lines(file: InputFile, encoding: str) -> Iterator[tuple[int, Record]]:
    """(line's number, record) of each line that is not blank."""
    with file.open_text(encoding, "\n") as lines:
        for number, line in enumerate(lines, start=1):
            text = line.removeprefix("\ufeff") if number == 1 else line
            if text and not text.isspace():
                yield number, _record(text, number)


def _record(line: str, number: int) -> Record:
    lost: list[str] = []

    def parse_float(digits: str) -> float | None:
        value = float(digits)
        if math.isinf(value):  # it would be written as Infinity, which is no JSON
            lost.append(digits)
            return None
        return value

    try:
        values = json.loads(
            line, parse_float=parse_float, parse_constant=_refuse_constant, object_pairs_hook=_make_object
        )
    except (ValueError, RecursionError) as error:
        return Record({}, f"line {number} is not JSON: {error}")
    if not isinstance(values, dict):
        return Record({}, f"line {number} is not a JSON object")
    return Record(values, lost=lost)


def _make_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A name that stands there twice gets a number, as a table's column does: neither value is lost."""
    found = dict(pairs)
    return (
        found
        if len(found) == len(pairs)
        else dict(zip(unique([n for n, _ in pairs]), (v for _, v in pairs), strict=True))
    )


def _refuse_constant(name: str) -> NoReturn:
    """NaN, Infinity, -Infinity: Python reads and writes them, but they are no JSON."""
    raise ValueError(f"{name} is no number of JSON")


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
