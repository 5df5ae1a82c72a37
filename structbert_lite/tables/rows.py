"""Rows of cells made into records: which row is the header, which cells are too many, which rows are empty."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import NamedTuple

from structbert_lite.tables.header import TableOptions, find_header, unique
from structbert_lite.tables.source import Column, Record, Window, group

SAMPLE = 200  # rows that are looked at before one is read
SHOWN = 40  # characters of a cell in a message
UNNAMED = re.compile(r"\s*(\.\d+)?")  # with the number that makes it unique


class EmptyTable(ValueError):
    """A file in which there is nothing, not even a header."""


class Row(NamedTuple):
    """Cells of one row, where it begins (a file's line, a sheet's row, from 1), and how wide its inner lines would be.

    Only a quoted cell has inner lines: those between its first and its last.
    """

    place: int
    cells: list[str]
    inner: tuple[int, ...] = ()


@dataclass(slots=True)
class Tally:
    """What a reader found on its way; the first place of each kind is kept."""

    rows: int = 0
    empty: int = 0
    places: dict[str, int] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)

    def add(self, kind: str, place: int, count: int = 1) -> None:
        self.places.setdefault(kind, place)
        self.counts[kind] = self.counts.get(kind, 0) + count


# What is told of each kind, with its count and first place.
TOLD = {
    "short": "{count} rows have fewer cells than the header (the first: {unit} {place}); the missing cells are empty",
    "long": "{count} rows have more cells than the header (the first: {unit} {place}); they are marked in `error`",
    "stray": "{count} rows have a quote in the middle of a quoted cell (the first: {unit} {place}), which was left out",
    "plain": "{count} rows have a cell that begins with a quote (the first: {unit} {place}), an ordinary character in "
    "TSV; --quoted reads quotes as CSV has them",
    "swallowed": "{count} lines that look like rows stand within a quoted cell that begins in {unit} {place}: "
    "is a quote missing there, or one too many?",
}


class TableRows:
    """A table's rows, of which the first ones are looked at before any is given out."""

    def __init__(
        self, name: str, unit: str, read: Callable[[Tally], Iterator[Row]], again: bool, options: TableOptions
    ) -> None:
        """`read(tally)` begins anew each time where `again` is true, else it can be called once.

        Raises EmptyTable where there is no header, ValueError for what cannot be read.
        """
        self._name, self._unit, self._read, self._again = name, unit, read, again
        self.tally = Tally()
        self._rows = read(self.tally)
        self._sample = list(islice(self._rows, max(SAMPLE, (options.header_row or 0) + 2)))
        header = find_header([row.cells for row in self._sample], options)
        if header is None:
            raise EmptyTable(f"{name} is empty: it has no header line")
        self._data = header.data
        self._above = [row.place for row in self._sample[: header.row] if any(map(str.strip, row.cells))]
        self._named = max(
            (place for place, name in enumerate(header.names, 1) if not UNNAMED.fullmatch(name)), default=0
        )
        self._full = len(header.names)
        rows = self._sample[header.data :]
        self._stretch(header.names, rows)
        self.total: int | None = None
        if again:
            if self._named < self._full:
                self._stretch(header.names, chain(rows, self._rows))
            self.tally = Tally()
            self.total = sum(1 for _ in self._records(self.tally))

    @property
    def columns(self) -> list[Column]:
        return [Column(name, "text") for name in self.names]

    @property
    def left_out(self) -> int:
        """As Source says."""
        return self.tally.empty

    @property
    def notices(self) -> list[str]:
        """As Source says."""
        found = []
        if self._above:
            found.append(f"{self._name}: {_count(len(self._above), 'row')} above the header left out")
        for kind, told in TOLD.items():
            if count := self.tally.counts.get(kind):
                line = told.format(count=count, unit=self._unit, place=self.tally.places[kind])
                found.append(f"{self._name}: {line if count > 1 else _singular(line)}")
        return found

    def sample(self) -> list[Record]:
        """As Source says."""
        return list(self._make(iter(self._sample[self._data :]), Tally()))

    def windows(self, size: int, skip: int) -> Iterator[Window]:
        """As Source says."""
        if self._again:
            records = self._records(Tally())
        else:
            records = self._make(chain(self._sample[self._data :], self._rows), self.tally)
        for _ in range(skip):
            next(records)
        return group(records, size)

    def _stretch(self, names: list[str], rows: Iterable[Row]) -> None:
        """Columns without a name at the end are columns only where some row has something in them."""
        used = max((_used(row.cells[: self._full]) for row in rows), default=0)
        self.names = unique(names[: max(self._named, used)]) if self._named else names[:1]

    def _records(self, tally: Tally) -> Iterator[Record]:
        return self._make(islice(self._read(tally), self._data, None), tally)

    def _make(self, rows: Iterator[Row], tally: Tally) -> Iterator[Record]:
        width = len(self.names)
        for row in rows:
            cells = row.cells
            if cells in ([], [""]):  # an empty line is a row only where a row is one cell
                if width > 1:
                    tally.empty += 1
                    continue
                cells = [""]
            if len(cells) > width and _used(cells) <= width:
                cells = cells[:width]
            if len(row.inner) > 1:
                rows_like = row.inner.count(width)
                if width > 1 and 2 * rows_like >= len(row.inner):
                    tally.add("swallowed", row.place, rows_like)
            tally.rows += 1
            if len(cells) > width:
                tally.add("long", row.place)
                extra = ", ".join(cell[:SHOWN] for cell in cells[width:] if cell.strip())
                fault = f"the row has {len(cells)} cells, the header has {width}; too many: {extra}"
                yield Record(dict(zip(self.names, cells, strict=False)), fault)
                continue
            if len(cells) < width:
                tally.add("short", row.place)
            yield Record(dict(zip(self.names, cells, strict=False)))


def _used(cells: list[str]) -> int:
    """How many cells a row has, empty ones at its end not counted."""
    return max((place for place, cell in enumerate(cells, 1) if cell.strip()), default=0)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("s" if number != 1 else "")


def _singular(line: str) -> str:
    for many, one in (
        ("rows have", "row has"),
        ("lines that look like rows stand", "line that looks like a row stands"),
    ):
        line = line.replace(many, one)
    return line.replace("they are marked", "it is marked")
