"""CSV, TSV and Excel's "Unicode text": a header line, then rows."""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import Any, Literal

from structbert_lite.tables.header import TableOptions
from structbert_lite.tables.rows import Row, TableRows, Tally
from structbert_lite.tables.source import Column, InputFile, Window, to_bytes, to_text

DelimitedFormat = Literal["csv", "tsv", "txt"]
# A quote that is never closed would read all the rest of the file as one cell.
MAX_CELL = 16 << 20
SAMPLE = 50  # lines by which a delimiter is found
DELIMITERS: dict[str, str] = {"csv": ",\t;|", "tsv": "\t", "txt": "\t,;|"}  # the usual one first
SEPARATOR = re.compile(r'"?sep=(.)"?[,;\t]*\s*', re.IGNORECASE)  # Excel's own line before the header
LINE_END = re.compile(r"\r\n|\r|\n")


class DelimitedSource(TableRows):
    """Cells between delimiters. CSV: a cell may stand in double quotes and hold delimiters and line ends.

    TSV: quotes are ordinary characters, unless `options` say otherwise. Unicode text (`txt`): as CSV, if every quote at
    a cell's beginning is closed at its end, else as TSV.
    """

    def __init__(self, origin: InputFile, encoding: str, form: DelimitedFormat, options: TableOptions) -> None:
        """Reads the header line, and counts the rows of a file.

        Raises ValueError where there is no header line, and with the line's number for a quote that is never closed.
        """
        self._origin, self._encoding, self._delimiter = origin, encoding, options.delimiter
        self._delimiters, self._quoted = DELIMITERS[form], options.quoted or form != "tsv"
        self._plain = not self._quoted  # quotes were not asked for, nor looked at
        if form == "txt" and not options.quoted:
            self._quoted = self._has_closed_quotes()
        super().__init__(origin.name, "line", self._read_rows, origin.is_file, options)

    def _read_rows(self, tally: Tally) -> Iterator[Row]:
        # In TSV a carriage return within a line is a character.
        with self._origin.open_text(self._encoding, "" if self._quoted else "\n") as text:
            lines: Iterator[str] = iter(text)
            sample = list(islice(lines, SAMPLE))
            if sample:
                sample[0] = sample[0].removeprefix("\ufeff")
            before = next((n for n, line in enumerate(sample) if line.strip()), 0)
            said = SEPARATOR.fullmatch(sample[before]) if sample else None
            if said:
                sample[before] = "\n"
            delimiter = self._delimiter or (said and said[1]) or _find_delimiter(sample, self._delimiters)
            lines = chain(sample, lines)
            if self._quoted:
                yield from _read_quoted(lines, delimiter, self._origin.name, tally)
                return
            for place, line in enumerate(lines, 1):
                cells = line.rstrip("\r\n").split(delimiter)
                if self._plain and any(cell.startswith('"') for cell in cells):
                    tally.add("plain", place)
                yield Row(place, cells)

    def _has_closed_quotes(self) -> bool:
        if not self._origin.is_file:
            return True
        tally = Tally()
        self._quoted = True
        try:
            return all(True for _ in self._read_rows(tally)) and not tally.counts
        except ValueError:
            return False


def _find_delimiter(sample: Sequence[str], candidates: str) -> str:
    """The usual one, unless it splits less than half of the lines and another splits nearly all of them alike."""
    if len(candidates) == 1:
        return candidates
    alike = {}
    lines = 0
    csv.field_size_limit(sum(map(len, sample)) + 1)
    for delimiter in candidates:
        widths = [len(cells) for cells in csv.reader(sample, delimiter=delimiter) if any(map(str.strip, cells))]
        lines = max(lines, len(widths))
        alike[delimiter] = max(Counter(width for width in widths if width > 1).values(), default=0)
    usual, best = candidates[0], max(candidates, key=lambda delimiter: alike[delimiter])
    return best if alike[usual] < 0.5 * lines and alike[best] >= 0.8 * (lines - 1) > 0 else usual


def _read_quoted(lines: Iterable[str], delimiter: str, name: str, tally: Tally) -> Iterator[Row]:
    """Rows as RFC 4180 has them. A quote in the middle of a cell that ends in its line is read as Excel reads it, and
    counted; where the cell goes on over lines, it is refused: rows would be swallowed.
    """
    raw: list[str] = []

    def feed() -> Iterator[str]:
        for line in lines:
            raw.append(line)
            yield line

    csv.field_size_limit(MAX_CELL)
    feeding = feed()
    reader = csv.reader(feeding, delimiter=delimiter, strict=True)
    place = 1
    while True:
        raw.clear()
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            cells = _read_stray(raw, delimiter, name, place, str(error))
            tally.add("stray", place)
            reader = csv.reader(feeding, delimiter=delimiter, strict=True)
        yield Row(place, cells, tuple(len(line.split(delimiter)) for line in raw[1:-1]))
        place += len(raw)


def _read_stray(raw: list[str], delimiter: str, name: str, place: int, error: str) -> list[str]:
    """The cells of a line with a quote too many. Raises ValueError where the line is not the whole row."""
    last = place + len(raw) - 1
    if "field larger" in error:
        raise ValueError(
            f"{name} cannot be read beyond line {place}: a cell that begins there has more than {MAX_CELL} characters. "
            "Is a quote not closed?"
        )
    rows = list(csv.reader(raw, delimiter=delimiter))
    if "end of data" in error:
        text = rows[-1][-1] if rows and rows[-1] else ""
        touched = len(LINE_END.findall(text)) + (0 if LINE_END.search(text[-1:]) else 1)
        raise ValueError(
            f"{name}: the quote that opens a cell in line {last - touched + 1} is never closed. Remove it, or double "
            "it if it belongs to the text, and put the cell in quotes"
        )
    if len(raw) > 1 or len(rows) != 1:
        raise ValueError(
            f"{name}: a cell in quotes begins in line {place} and goes on to line {last}, where a quote stands in its "
            f"middle. Is the quote in line {place} not closed? Remove it, or double quotes that belong to the text"
        )
    return rows[0]


class DelimitedSink:
    """Writes what DelimitedSource reads: true and false in lower case, lists as JSON, an empty cell for None."""

    def __init__(
        self, columns: list[Column], results: list[Column], encoding: str, form: DelimitedFormat, quoted: bool
    ) -> None:
        self._names = [column.name for column in columns]
        self._header = [*self._names, *(column.name for column in results)]
        self._encoding, self._delimiter, self._quoted = encoding, DELIMITERS[form][0], quoted or form != "tsv"
        self.notices: list[str] = []

    def head(self) -> bytes:
        """The header line, behind a byte order mark where the encoding has one."""
        return to_bytes([self._line(self._header)], self._encoding)

    def rows(self, window: Window, results: list[tuple[Any, ...]]) -> bytes:
        """As Sink says."""
        lines = [
            self._line([*map(record.values.get, self._names), *found])
            for record, found in zip(window.records, results, strict=True)
        ]
        return to_bytes(lines, _without_mark(self._encoding))

    def finish(self, path: str) -> str:
        return path

    def _line(self, values: list[Any]) -> str:
        cells = [value if isinstance(value, str) else _cell(value) for value in values]
        if not self._quoted:
            return self._delimiter.join(LINE_END.sub(" ", cell).replace("\t", " ") for cell in cells) + "\n"
        line = io.StringIO()
        # Only what stands in the line end makes the library quote a cell: a lone carriage return has to.
        csv.writer(line, delimiter=self._delimiter, lineterminator="\r\n").writerow(cells)
        return line.getvalue().removesuffix("\r\n") + "\n"


def _without_mark(encoding: str) -> str:
    """The encoding of what stands behind the beginning: a mark only once."""
    return {"utf-16": "utf-16-le", "utf-32": "utf-32-le"}.get(encoding, encoding.removesuffix("-sig"))


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return repr(value) if type(value) is float else to_text(value)
