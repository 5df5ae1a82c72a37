"""CSV and TSV: a header line, then rows."""

import csv
import io
import json
from collections.abc import Iterator
from typing import Any

from structbert_lite.tables.source import InputFile, to_bytes
from structbert_lite.tables.window import Column, Record, Window, group

# A quote that is never closed would read all the rest of the file as one cell.
MAX_CELL = 16 << 20


class DelimitedSource:
    """Cells between `delimiter`; `quoted`: a cell may stand in double quotes and hold delimiters and line ends."""

    def __init__(self, origin: InputFile, encoding: str, delimiter: str, quoted: bool) -> None:
        """Reads the header line, and counts the rows of a file. Raises ValueError where there is no header line."""
        self._origin, self._encoding, self._delimiter, self._quoted = origin, encoding, delimiter, quoted
        self._rows = self._read()
        header = next(self._rows, None)
        if header is None:
            raise ValueError(f"{origin.name} is empty: it has no header line")
        self._names = _all_different(header)
        self.columns = [Column(name, "text") for name in self._names]
        self.total = sum(1 for _ in self._records()) if origin.is_file else None

    def windows(self, size: int, skip: int) -> Iterator[Window]:
        """As Source says."""
        if self._origin.is_file:
            self._rows = self._read()
            next(self._rows)
        records = self._records()
        for _ in range(skip):
            next(records)
        return group(records, size)

    def _records(self) -> Iterator[Record]:
        width = len(self._names)
        for cells in self._rows:
            if len(cells) == width:
                yield Record(dict(zip(self._names, cells, strict=True)))
            elif cells in ([], [""]):  # an empty line is a row only where a row is one cell
                if width == 1:
                    yield Record({self._names[0]: ""})
            else:
                fault = f"the row has {len(cells)} cells, the header has {width}"
                yield Record(dict(zip(self._names, cells, strict=False)), fault)

    def _read(self) -> Iterator[list[str]]:
        file = self._origin.open_text(self._encoding, "" if self._quoted else "\n")
        with file:
            if not self._quoted:
                for line in file:
                    yield line.rstrip("\r\n").split(self._delimiter)
                return
            csv.field_size_limit(MAX_CELL)
            reader = csv.reader(file, delimiter=self._delimiter)
            try:
                yield from reader
            except csv.Error as error:
                raise ValueError(
                    f"{self._origin.name} cannot be read beyond line {reader.line_num}: {error}. Is a quote not closed?"
                ) from None


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
    return repr(value) if type(value) is float else json.dumps(value, ensure_ascii=False, default=str)


def _all_different(header: list[str]) -> list[str]:
    """The names of a header; one that occurs again gets a number, as pandas does it."""
    names: list[str] = []
    for name in header:
        number, free = 1, name
        while free in names:
            free = f"{name}.{number}"
            number += 1
        names.append(free)
    return names
