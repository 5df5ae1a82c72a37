"""XLSX written, the only file that needs xlsxwriter. An unfinished one is JSON lines, which can be appended to."""

import datetime as dt
import json
from typing import Any

import xlsxwriter

from structbert_lite.tables.source import Cell, Column, Window, to_bytes, to_json, to_text

MAX_ROWS, MAX_COLUMNS, MAX_CELL = 1_048_576, 16_384, 32_767  # Excel's; of a cell in UTF-16 units
EXACT = 10**15
CREATED = dt.datetime(2000, 1, 1)  # the same job makes the same bytes
DATE, TIME = "date", "time"


class WorkbookSink:
    """Numbers, dates and truth values of a workbook stay what they are; results are numbers; all else is text.

    So are digits of other formats: an order's number keeps its zeros and all of its digits.
    """

    def __init__(self, columns: list[Column], results: list[Column], total: int | None) -> None:
        """Raises ValueError for more rows or columns than a sheet has."""
        self._names = [column.name for column in columns]
        self._header = [*self._names, *(column.name for column in results)]
        self.notices: list[str] = []
        if len(self._header) > MAX_COLUMNS or (total or 0) >= MAX_ROWS:
            raise ValueError(f"a sheet has {MAX_ROWS} rows and {MAX_COLUMNS} columns at the most; write CSV or Parquet")

    def head(self) -> bytes:
        return to_bytes([to_json(self._header) + "\n"], "utf-8")

    def rows(self, window: Window, results: list[tuple[Any, ...]]) -> bytes:
        """As Sink says."""
        lines = [
            to_json([*map(_stored, map(record.values.get, self._names)), *map(_stored, found)]) + "\n"
            for record, found in zip(window.records, results, strict=True)
        ]
        return to_bytes(lines, "utf-8")

    def finish(self, path: str) -> str:
        """Makes a workbook of the lines. Raises ValueError where they are more than a sheet has."""
        made, cut = f"{path}.xlsx", 0
        with xlsxwriter.Workbook(made, {"constant_memory": True, "in_memory": False}) as workbook:
            workbook.set_properties({"created": CREATED})
            sheet = workbook.add_worksheet("Sheet1")
            sheet.freeze_panes(1, 0)
            sheet.ignore_errors({"number_stored_as_text": f"A1:XFD{MAX_ROWS}"})
            formats = {
                kind: workbook.add_format({"num_format": shown})
                for kind, shown in ((DATE, "yyyy-mm-dd"), ("instant", "yyyy-mm-dd hh:mm:ss"), (TIME, "[h]:mm:ss"))
            }
            with open(path, encoding="utf-8") as lines:
                for row, line in enumerate(lines):
                    if row == MAX_ROWS:
                        raise ValueError(f"a sheet has {MAX_ROWS} rows at the most; write CSV or Parquet")
                    for column, value in enumerate(json.loads(line)):
                        cut += _write(sheet, formats, row, column, value)
        if cut:
            self.notices.append(f"{cut} cells were cut to {MAX_CELL} characters, which is Excel's limit; CSV has none")
        return made


def _stored(value: Any) -> Any:
    """What a line holds for a cell: text, a number, a truth value, null, or [kind, value] for dates and times."""
    if isinstance(value, Cell) and value.value is not None:
        value = value.value
    if isinstance(value, dt.datetime | dt.date):
        return [DATE, value.isoformat()]
    if isinstance(value, dt.timedelta):
        return [TIME, value.total_seconds()]
    if isinstance(value, int | float) and abs(value) < EXACT:
        return value
    return None if value is None else to_text(value)


def _write(sheet: Any, formats: dict[str, Any], row: int, column: int, value: Any) -> bool:
    """Writes one cell; whether it was cut."""
    if value is None or value == "":
        return False
    if isinstance(value, bool):
        sheet.write_boolean(row, column, value)
    elif isinstance(value, int | float):
        sheet.write_number(row, column, value)
    elif isinstance(value, list) and value[0] == TIME:
        sheet.write_number(row, column, value[1] / 86_400, formats[TIME])
    elif isinstance(value, list):
        moment = dt.datetime.fromisoformat(value[1])
        if moment.year < 1900:
            sheet.write_string(row, column, value[1])
        else:
            sheet.write_datetime(row, column, moment, formats[DATE if moment.time() == dt.time() else "instant"])
    else:
        text = value.encode("utf-16-le", "backslashreplace")
        sheet.write_string(row, column, text[: 2 * MAX_CELL].decode("utf-16-le", "ignore"))
        return len(text) > 2 * MAX_CELL
    return False
