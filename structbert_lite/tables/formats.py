"""Which file is of which format, and who reads and writes it."""

import codecs
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from structbert_lite.tables.delimited import DelimitedSink, DelimitedSource
from structbert_lite.tables.json_lines import JsonLinesSink, JsonLinesSource
from structbert_lite.tables.source import Column, InputFile, Sink, Source

if TYPE_CHECKING:
    from structbert_lite.tables.parquet import ParquetSink, ParquetSource

Format = Literal["csv", "tsv", "jsonl", "parquet"]
ENDINGS: dict[str, Format] = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".tab": "tsv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
    ".pq": "parquet",
}
DELIMITERS = {"csv": ",", "tsv": "\t"}
KEPT_ENCODINGS = {"utf-8", "utf-8-sig", "gb18030"}  # the output has the input's own; any other becomes UTF-8


def format_of(path: Path | None, given: Format | None, option: str) -> Format:
    """`given`, else what the path's ending says, CSV for a stream. Raises ValueError for any other ending."""
    if given or path is None:
        return given or "csv"
    if path.suffix.lower() not in ENDINGS:
        raise ValueError(f"{path}: the ending is none of {', '.join(ENDINGS)}; name the format with {option}")
    return ENDINGS[path.suffix.lower()]


def known_encoding(name: str) -> str:
    """The encoding's usual name. Raises ValueError where there is none."""
    try:
        return codecs.lookup(name).name
    except LookupError as error:
        raise ValueError(error) from None


def open_source(origin: InputFile, form: Format, quoted: bool) -> tuple[Source, str]:
    """The rows of `origin` and the encoding that a table made of them should have. Raises ValueError, OSError."""
    if form == "parquet":
        if origin.file is None:
            raise ValueError("Parquet can only be read from a file")
        return open_parquet(origin.file), "utf-8"
    encoding = known_encoding(origin.find_encoding())
    kept = encoding if encoding in KEPT_ENCODINGS else "utf-8"
    if form == "jsonl":
        return JsonLinesSource(origin, encoding), kept
    return DelimitedSource(origin, encoding, DELIMITERS[form], quoted or form == "csv"), kept


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
    return DelimitedSink(source.columns, results, encoding, DELIMITERS[form], quoted or form == "csv")


def _parquet() -> "tuple[type[ParquetSource], type[ParquetSink]]":
    try:
        from structbert_lite.tables.parquet import ParquetSink, ParquetSource
    except ImportError:
        raise ValueError("Parquet needs pyarrow: pip install -r requirements-parquet.txt") from None
    return ParquetSource, ParquetSink
