"""Which file is of which format, and who reads and writes it."""

from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast

from structbert_lite.tables.delimited import DelimitedFormat, DelimitedSink, DelimitedSource
from structbert_lite.tables.header import TableOptions
from structbert_lite.tables.json_lines import JsonLinesSink, JsonLinesSource
from structbert_lite.tables.source import Column, InputFile, Sink, Source, known_encoding

if TYPE_CHECKING:
    from structbert_lite.tables.parquet import ParquetSink, ParquetSource

Format = Literal["csv", "tsv", "txt", "jsonl", "parquet", "xlsx"]
ENDINGS: dict[str, Format] = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".tab": "tsv",
    ".txt": "txt",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".xlsx": "xlsx",
}
READ_ONLY: dict[str, Format] = {".xlsm": "xlsx", ".xls": "xlsx", ".xlsb": "xlsx", ".ods": "xlsx", ".et": "xlsx"}
COMPRESSED_ENDINGS = {".gz", ".bz2", ".xz", ".zst", ".zip", ".7z", ".rar"}
KEPT_ENCODINGS = {"utf-8", "utf-8-sig", "gb18030"}  # the output has the input's own; any other becomes UTF-8
WHOLE_FILES = {"parquet": "Parquet", "xlsx": "XLSX"}  # that are not read or written as a stream


def format_of(path: Path | None, given: Format | None, option: str, written: bool = False) -> Format:
    """`given`, else what the path's ending says, CSV for a stream. Raises ValueError for any other ending."""
    if given or path is None:
        return given or "csv"
    endings = ENDINGS if written else ENDINGS | READ_ONLY
    if path.suffix.lower() in COMPRESSED_ENDINGS:
        cure = "write it without, and compress it then" if written else "unpack it first"
        raise ValueError(f"{path}: the ending is that of a compressed file; {cure}")
    if path.suffix.lower() not in endings:
        raise ValueError(f"{path}: the ending is none of {', '.join(endings)}; name the format with {option}")
    return endings[path.suffix.lower()]


def open_source(origin: InputFile, form: Format, options: TableOptions) -> tuple[Source, str]:
    """The rows of `origin` and the encoding that a table made of them should have. Raises ValueError, OSError."""
    if form in WHOLE_FILES:
        if origin.file is None:
            raise ValueError(f"{WHOLE_FILES[form]} can only be read from a file")
        return open_parquet(origin.file) if form == "parquet" else _open_workbook(origin.file, options), "utf-8"
    encoding = origin.find_encoding()
    kept = encoding if encoding in KEPT_ENCODINGS else "utf-8"
    if form == "jsonl":
        return JsonLinesSource(origin, encoding), kept
    return DelimitedSource(origin, encoding, cast("DelimitedFormat", form), options), kept


def open_parquet(path: Path) -> "ParquetSource":
    """The rows of a Parquet file. Raises ValueError, OSError."""
    source, _ = _parquet()
    return source(path)


def open_sink(form: Format, source: Source, results: list[Column], encoding: str, quoted: bool) -> Sink:
    """Writes the source's columns and then `results`. Raises ValueError where the columns are not known."""
    if form == "jsonl":
        return JsonLinesSink(results)
    if source.columns is None:
        raise ValueError("JSON lines from a stream can only be written as JSON lines: their columns are not known")
    if form == "parquet":
        _, sink = _parquet()
        return sink(source.columns, results, getattr(source, "schema", None))
    if form == "xlsx":
        from structbert_lite.tables.workbook_sink import WorkbookSink  # only who asks for it has it in memory

        return WorkbookSink(source.columns, results, source.total)
    return DelimitedSink(source.columns, results, known_encoding(encoding), form, quoted)


def _open_workbook(path: Path, options: TableOptions) -> Source:
    from structbert_lite.tables.workbook import WorkbookSource  # only who asks for it has it in memory

    return WorkbookSource(path, options)


def _parquet() -> "tuple[type[ParquetSource], type[ParquetSink]]":
    try:
        from structbert_lite.tables.parquet import ParquetSink, ParquetSource
    except ImportError:
        raise ValueError("Parquet needs pyarrow: pip install -r requirements-parquet.txt") from None
    return ParquetSource, ParquetSink
