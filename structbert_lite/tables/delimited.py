"""CSV and TSV: a header line, then rows."""

import csv
import io
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from structbert_lite.tables.source import Column, InputFile, Record, Window, group, to_bytes, to_json

# A quote that is never closed would read all the rest of the file as one cell.
MAX_CELL = 16 << 20


class Table(NamedTuple):
    """A small file whole; no `columns` where it is empty. Only the cells that a row has are among its values."""

    columns: list[str]
    records: list[Record]
    encoding: str


def read_table(path: Path, delimiter: str, quoted: bool) -> Table:
    """All rows but the blank ones, as DelimitedSource has them. Raises ValueError, OSError."""
    file = InputFile(path)
    encoding = file.find_encoding()
    rows = _read_cells(file, encoding, delimiter, quoted)
    names = _read_header(rows) or []
    records = [record for record in _records(names, rows) if any(map(str.strip, record.values.values()))]
    return Table(names, records, encoding)


class DelimitedSource:
    """Cells between `delimiter`; `quoted`: a cell may stand in double quotes and hold delimiters and line ends."""

    def __init__(self, origin: InputFile, encoding: str, delimiter: str, quoted: bool) -> None:
        """Reads the header line, and counts the rows of a file. Raises ValueError where there is no header line."""
        self._is_file = origin.is_file
        self._open = partial(_read_cells, origin, encoding, delimiter, quoted)
        self._rows = self._open()
        names = _read_header(self._rows)
        if names is None:
            raise ValueError(f"{origin.name} is empty: it has no header line")
        self._names = names
        self.columns = [Column(name, "text") for name in names]
        self.total = sum(1 for _ in _records(names, self._rows)) if origin.is_file else None

    def windows(self, size: int, skip: int) -> Iterator[Window]:
        """As Source says."""
        if self._is_file:
            self._rows = self._open()
            _read_header(self._rows)
        records = _records(self._names, self._rows)
        for _ in range(skip):
            next(records)
        return group(records, size)


def _read_cells(file: InputFile, encoding: str, delimiter: str, quoted: bool) -> Iterator[list[str]]:
    with file.open_text(encoding, "" if quoted else "\n") as text:
        if not quoted:
            for line in text:
                yield line.rstrip("\r\n").split(delimiter)
            return
        csv.field_size_limit(MAX_CELL)
        reader = csv.reader(text, delimiter=delimiter)
        try:
            yield from reader
        except csv.Error as error:
            raise ValueError(
                f"{file.name} cannot be read beyond line {reader.line_num}: {error}. Is a quote not closed?"
            ) from None


def _read_header(rows: Iterator[list[str]]) -> list[str] | None:
    """The names in the first line that is not blank, None where there is none.

    One that occurs again gets a number, as pandas does it.
    """
    names: list[str] = []
    for name in next((cells for cells in rows if any(map(str.strip, cells))), []):
        number, free = 1, name
        while free in names:
            free = f"{name}.{number}"
            number += 1
        names.append(free)
    return names or None


def _records(names: list[str], rows: Iterator[list[str]]) -> Iterator[Record]:
    width = len(names)
    for cells in rows:
        if len(cells) == width:
            yield Record(dict(zip(names, cells, strict=True)))
        elif cells in ([], [""]):  # an empty line is a row only where a row is one cell
            if width == 1:
                yield Record({names[0]: ""})
        else:
            fault = f"the row has {len(cells)} cells, the header has {width}"
            yield Record(dict(zip(names, cells, strict=False)), fault)


class DelimitedSink:
    """Writes what DelimitedSource reads: true and false in lower case, lists as JSON, an empty cell for None."""

    def __init__(
        self, columns: list[Column], results: list[Column], encoding: str, delimiter: str, quoted: bool
    ) -> None:
        self._names = [column.name for column in columns]
        self._header = [*self._names, *(column.name for column in results)]
        self._encoding, self._delimiter, self._quoted = encoding, delimiter, quoted

    def head(self) -> bytes:
        """The header line, behind a byte order mark where the encoding has one."""
        return to_bytes([self._line(self._header)], self._encoding)

    def rows(self, window: Window, results: list[tuple[Any, ...]]) -> bytes:
        """As Sink says."""
        lines = [
            self._line([*map(record.values.get, self._names), *found])
            for record, found in zip(window.records, results, strict=True)
        ]
        return to_bytes(lines, self._encoding.removesuffix("-sig"))

    def finish(self, path: str) -> str:
        return path

    def _line(self, values: list[Any]) -> str:
        cells = [value if isinstance(value, str) else _cell(value) for value in values]
        if not self._quoted:
            return self._delimiter.join(" ".join(cell.splitlines()).replace("\t", " ") for cell in cells) + "\n"
        line = io.StringIO()
        csv.writer(line, delimiter=self._delimiter, lineterminator="\n").writerow(cells)
        return line.getvalue()


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return repr(value) if type(value) is float else to_json(value)
