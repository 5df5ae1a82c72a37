"""A small table whole: what evaluate, the exporter and training read, by the rules of bulk scoring."""

from pathlib import Path
from typing import NamedTuple

from structbert_lite.tables.formats import ENDINGS, READ_ONLY, WHOLE_FILES, Format, open_source
from structbert_lite.tables.header import TableOptions
from structbert_lite.tables.rows import EmptyTable
from structbert_lite.tables.source import InputFile, Record


class Table(NamedTuple):
    """No `columns` where the file is empty. Only the cells that a row has are among its values.

    `notices`: what a person should know of how it was read.
    """

    columns: list[str]
    records: list[Record]
    encoding: str
    notices: list[str]


def read_table(path: Path, wanted: tuple[str, ...] = (), *, form: Format | None = None, quoted: bool = False) -> Table:
    """All rows but the blank ones. `form`: by the file's ending, tab-separated where that says nothing.

    Raises ValueError for what cannot be read, OSError.
    """
    form = form or (ENDINGS | READ_ONLY).get(path.suffix.lower(), "tsv")
    file = InputFile(path)
    encoding = "utf-8" if form in WHOLE_FILES else file.find_encoding()
    try:
        source, _ = open_source(file, form, TableOptions(wanted, quoted=quoted))
    except EmptyTable:
        return Table([], [], encoding, [])
    records = [record for window in source.windows(1 << 16, 0) for record in window.records]
    columns = [column.name for column in source.columns or []]
    filled = [r for r in records if r.fault or any(str(v).strip() for v in r.values.values() if v is not None)]
    return Table(columns, filled, encoding, source.notices)
