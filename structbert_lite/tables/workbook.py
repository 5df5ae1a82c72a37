"""Workbooks (XLSX, and what else python-calamine reads), the only file that needs it. A sheet is read whole."""

import datetime as dt
import posixpath
import re
import zipfile
from collections.abc import Iterator
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import python_calamine as calamine

from structbert_lite.tables.header import TableOptions, find_header, is_text_name
from structbert_lite.tables.rows import SAMPLE, Row, TableRows, Tally
from structbert_lite.tables.source import Cell

EXACT = 10**15  # a float of a larger number has not all of its digits
HALF_A_SECOND = dt.timedelta(milliseconds=500)
RELATIONS = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
# What the library gives as a rounded number or as nothing: long numbers, and errors such as #N/A.
SPECIAL = re.compile(rb"""<(?:\w+:)?v>-?(?:\d{16,}|\d\.\d{14,}E\+?\d\d)<|\st=["']e["']""")
FORMULA = re.compile(rb"<(?:\w+:)?f[ />]")  # which may stand without its result
LONG = re.compile(r"-?(\d{16,}|\d\.\d{14,}E\+?\d\d)")
PLACE = re.compile(r"([A-Z]+)(\d+)")


class WorkbookSource(TableRows):
    """One sheet of a workbook: the named one, else the first visible one with the table that is asked for."""

    def __init__(self, path: Path, options: TableOptions) -> None:
        """Raises ValueError where the workbook cannot be read or has no such sheet; OSError."""
        try:
            with path.open("rb") as file:  # the library looks at the content, not at an ending that may be wrong
                workbook = calamine.CalamineWorkbook.from_filelike(file)
        except calamine.PasswordError:
            raise ValueError(f"{path} is locked with a password; save it without one") from None
        except calamine.CalamineError as error:
            raise ValueError(f"{path} cannot be read as a workbook: {error}. {_cure(path)}") from None
        self._path = path
        self._uncomputed: dict[str, int] = {}
        sheets = [sheet for sheet in workbook.sheets_metadata if sheet.typ == calamine.SheetTypeEnum.WorkSheet]
        visible = [sheet.name for sheet in sheets if sheet.visible == calamine.SheetVisibleEnum.Visible]
        every = [sheet.name for sheet in sheets]
        if options.sheet is None:
            self.sheet, cells = self._choose(workbook, visible or every, options)
        else:
            self.sheet = _named(path, every, options.sheet)
            cells = self._read_sheet(workbook, self.sheet)
        self._others = [name for name in visible if name != self.sheet]
        super().__init__(str(path), "row", partial(_rows, cells), True, options)

    @property
    def notices(self) -> list[str]:
        """As Source says."""
        found = super().notices
        if count := self._uncomputed[self.sheet]:
            what = "1 formula has no result and is" if count == 1 else f"{count} formulas have no results and are"
            cure = "open the file in Excel or WPS, save it and score it again"
            found.append(f"{self._path}: {what} read as empty; {cure}")
        if self._others:
            found.insert(
                0, f"{self._path}: sheet {self.sheet} was read; --sheet chooses another: {', '.join(self._others)}"
            )
        return found

    def _choose(
        self, workbook: calamine.CalamineWorkbook, names: list[str], options: TableOptions
    ) -> tuple[str, list[list[str]]]:
        """(name, cells) of the first of the sheets that look most like the table that is asked for."""
        best, chosen = 0, None
        for name in names:
            cells = self._read_sheet(workbook, name)
            rank = _rank(cells[:SAMPLE], options.wanted)
            if rank > best:
                best, chosen = rank, (name, cells)
        if chosen is None:
            raise ValueError(f"{self._path} has no sheet with cells")
        return chosen

    def _read_sheet(self, workbook: calamine.CalamineWorkbook, name: str) -> list[list[str]]:
        """The cells of a sheet as the sheet shows them, from its first row and column on."""
        try:
            values = workbook.get_sheet_by_name(name).to_python(skip_empty_area=False)
        except (calamine.CalamineError, ValueError) as error:
            raise ValueError(f"{self._path}: the sheet {name} cannot be read: {error}. {_cure(self._path)}") from None
        rows = [[_shown(value) for value in row] for row in values]
        special, self._uncomputed[name] = _special(self._path, name)
        for (row, column), text in special.items():
            if row < len(rows) and column < len(rows[row]):
                rows[row][column] = text
        return rows


def _rank(rows: list[list[str]], wanted: tuple[str, ...]) -> int:
    """5: has the wanted columns; 4: a column whose name says text; 3: two columns and rows; 2: two rows; 1: a cell."""
    header = find_header(rows, TableOptions(wanted))
    if header is None:
        return 0
    names = [name.strip() for name in header.names]
    filled = sum(any(map(str.strip, row)) for row in rows)
    if wanted and set(wanted) <= set(names):
        return 5
    if filled < 2:
        return 1
    return 4 if any(map(is_text_name, names)) else 3 if len(list(filter(str.strip, names))) > 1 else 2


def _rows(cells: list[list[str]], _: Tally) -> Iterator[Row]:
    for place, row in enumerate(cells, 1):
        yield Row(place, row if any(map(str.strip, row)) else [])


def _named(path: Path, names: list[str], asked: str) -> str:
    if asked in names:
        return asked
    if asked.isdecimal() and 1 <= int(asked) <= len(names):
        return names[int(asked) - 1]
    raise ValueError(f"{path} has no sheet {asked}; there are: {', '.join(names)}")


def _cure(path: Path) -> str:
    """What to do with a file that is no workbook: exports named .xls are often a web page or text."""
    start = path.read_bytes()[:512].lstrip(b"\xef\xbb\xbf\xff\xfe \r\n\t").lower()
    if start.startswith((b"<html", b"<!doctype", b"<table", b"<?xml", b"<meta", b"<head")):
        return "It is a web page: open it in Excel or WPS and save it as .xlsx"
    if not start:
        return "There is nothing in it: was it copied or downloaded whole?"
    if b"\0" not in start and not start.startswith(b"pk"):
        return "It seems to be text: name its --format (tsv, txt or csv)"
    return "Open it in Excel or WPS and save it as CSV (UTF-8) or .xlsx"


def _shown(value: Any) -> str:
    """A cell as the sheet shows it: whole numbers without a point, dates and times to the second."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return Cell("TRUE" if value else "FALSE", value)
    if isinstance(value, int | float):
        return _number(value)
    if isinstance(value, dt.time):
        value = dt.datetime.combine(dt.date.min, value) - dt.datetime.min
    if isinstance(value, dt.timedelta):
        seconds = round(value.total_seconds())
        sign, left = "-" if seconds < 0 else "", abs(seconds)
        return Cell(f"{sign}{left // 3600:02}:{left // 60 % 60:02}:{left % 60:02}", value)
    if isinstance(value, dt.datetime):
        value = (value + HALF_A_SECOND).replace(microsecond=0)
        value = value if value.time() != dt.time() else value.date()
    return Cell(str(value), value)


def _number(value: float) -> str:
    if abs(value) >= EXACT:  # Excel keeps 15 digits; as text nobody rounds what is there once more
        return format(Decimal(repr(value)), "f").removesuffix(".0")
    return Cell(str(int(value)), int(value)) if float(value).is_integer() else Cell(repr(value), value)


def _special(path: Path, name: str) -> tuple[dict[tuple[int, int], str], int]:
    """What the library does not tell of a sheet in an XLSX file.

    By row and column, from 0, the cells that it would change, as they are stored; and how many formulas have no result.
    """
    found: dict[tuple[int, int], str] = {}
    uncomputed = 0
    if not zipfile.is_zipfile(path):
        return found, uncomputed
    with zipfile.ZipFile(path) as archive:
        part = _part(archive, name)
        stored = b"" if part is None else archive.read(part)
        if part is None or not (SPECIAL.search(stored) or FORMULA.search(stored)):
            return found, uncomputed
        row = column = -1
        with archive.open(part) as file:
            for event, element in ET.iterparse(file, ("start", "end")):
                tag = element.tag.rpartition("}")[2]
                if tag == "row" and event == "start":
                    row, column = int(element.get("r", row + 2)) - 1, -1
                elif tag == "row":
                    element.clear()
                elif tag == "c" and event == "end":
                    column += 1
                    if place := PLACE.fullmatch(element.get("r", "")):
                        row, column = int(place[2]) - 1, _column(place[1])
                    parts = {child.tag.rpartition("}")[2]: child.text or "" for child in element}
                    text, kind = parts.get("v", ""), element.get("t", "n")
                    if kind == "e":
                        found[row, column] = Cell(text, None)
                    elif kind == "n" and LONG.fullmatch(text) and abs(Decimal(text)) >= EXACT:
                        found[row, column] = format(Decimal(text), "f")
                    uncomputed += "f" in parts and not text and kind != "str"  # an empty text is a result
    return found, uncomputed


def _part(archive: zipfile.ZipFile, name: str) -> str | None:
    """The part of an XLSX file that holds the sheet `name`; None in files of another kind."""
    try:
        workbook = ET.fromstring(archive.read("xl/workbook.xml"))
        relations = ET.fromstring(archive.read("xl/_rels/workbook.xml.rels"))
    except (KeyError, ET.ParseError):
        return None
    sheets = {e.get("name"): e.get(RELATIONS) for e in workbook.iter() if e.tag.endswith("}sheet")}
    targets = {e.get("Id"): e.get("Target", "") for e in relations}
    target = targets.get(sheets.get(name), "")
    part = target.removeprefix("/") if target.startswith("/") else posixpath.normpath(posixpath.join("xl", target))
    return part if part in archive.namelist() else None


def _column(letters: str) -> int:
    """A is 0, AA is 26."""
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number - 1
