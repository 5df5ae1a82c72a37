"""Parquet, the only file that needs pyarrow. An unfinished file is an Arrow stream, which can be appended to."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from structbert_lite.tables.header import unique
from structbert_lite.tables.rows import SAMPLE
from structbert_lite.tables.source import Column, Record, Window, to_text

TYPES = {
    "text": pa.string(),
    "int": pa.int64(),
    "float": pa.float64(),
    "bool": pa.bool_(),
    "json": pa.string(),
    "vector": pa.list_(pa.float32()),
}
GROUP_BYTES = 32 << 20  # of one row group of the finished file, about


class ParquetSource:
    """Keeps the rows as Arrow has them beside their values, so that Parquet to Parquet loses no type."""

    def __init__(self, path: Path) -> None:
        """Raises ValueError where the file is no Parquet file, or has a type that Arrow has not (128-bit integers)."""
        try:
            with pq.ParquetFile(path) as file:
                self.schema = _plain(file.schema_arrow)
                self.total: int = file.metadata.num_rows
        except pa.ArrowException as error:
            cure = ""
            if "more than 64 bits" in str(error):
                cure = ". polars makes them of very long numbers: cast that column to pl.String and write it again"
            raise ValueError(f"{path} cannot be read as Parquet: {error}{cure}") from None
        self.left_out, self.notices = 0, list[str]()
        self.columns = [Column(field.name, "json") for field in self.schema]
        self._path = path

    def sample(self) -> list[Record]:
        """As Source says."""
        return next((window.records for window in self.windows(SAMPLE, 0)), [])

    def windows(self, size: int, skip: int, stop: int | None = None) -> Iterator[Window]:
        """As Source says; from the row `stop` on nothing. Row groups before and behind are not read."""
        stop = self.total if stop is None else stop
        with pq.ParquetFile(self._path) as file:
            groups, seen = _groups(file.metadata, skip, stop)
            if not groups:
                return
            try:
                for batch in file.iter_batches(size, row_groups=groups):
                    first, seen = seen, seen + len(batch)
                    if seen > skip and first < stop:
                        start = max(0, skip - first)
                        yield self._window(self._make_plain(batch.slice(start, stop - first - start)))
            except (pa.ArrowException, OSError) as error:
                raise ValueError(f"{self._path} cannot be read beyond row {seen}: {error}") from None

    def read_columns(self, names: list[str]) -> Iterator[list[tuple[Any, ...]]]:
        """The values of some columns alone, some thousand rows at a time."""
        with pq.ParquetFile(self._path) as file:
            for batch in file.iter_batches(columns=names):
                columns = [batch.column(name).to_pylist() for name in names]
                yield list(zip(*columns, strict=True))

    def _make_plain(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        columns = [column.cast(field.type) for column, field in zip(batch.columns, self.schema, strict=True)]
        return pa.RecordBatch.from_arrays(columns, schema=self.schema)

    def _window(self, batch: pa.RecordBatch) -> Window:
        values = [_values(column) for column in batch.columns]
        names = batch.schema.names
        return Window([Record(dict(zip(names, row, strict=True))) for row in zip(*values, strict=True)], batch)


class ParquetSink:
    """`schema`: of the original columns, where they come from Parquet; else made from `columns`."""

    def __init__(self, columns: list[Column], results: list[Column], schema: pa.Schema | None) -> None:
        self._columns, self._results = columns, results
        self.notices: list[str] = []
        schema = schema or pa.schema([(name, TYPES[kind]) for name, kind in columns])
        for name, kind in results:
            schema = schema.append(pa.field(name, TYPES[kind]))
        self._schema = schema

    def head(self) -> bytes:
        head: bytes = self._schema.serialize().to_pybytes()
        return head

    def rows(self, window: Window, results: list[tuple[Any, ...]]) -> bytes:
        """As Sink says."""
        if window.batch is not None:
            arrays = list(window.batch.columns)
        else:
            arrays = [
                _array([record.values.get(name) for record in window.records], kind) for name, kind in self._columns
            ]
        arrays += [
            _array(list(values), column.kind)
            for column, values in zip(self._results, zip(*results, strict=True), strict=True)
        ]
        batch = pa.RecordBatch.from_arrays(arrays, schema=self._schema)
        data: bytes = batch.serialize().to_pybytes()
        return data

    def finish(self, path: str) -> str:
        """Makes a Parquet file of the stream; its row groups do not depend on the windows."""
        made = f"{path}.parquet"
        with open(path, "rb") as file, pq.ParquetWriter(made, self._schema) as writer:
            waiting: list[pa.RecordBatch] = []
            rows = 0
            for batch in pa.ipc.open_stream(file):
                rows = rows or max(1, GROUP_BYTES * len(batch) // max(1, batch.nbytes))
                waiting.append(batch)
                table = pa.Table.from_batches(waiting)
                while len(table) >= rows:
                    writer.write_table(table.slice(0, rows), row_group_size=rows)
                    table = table.slice(rows)
                waiting = table.to_batches()
            if waiting:
                writer.write_table(pa.Table.from_batches(waiting))
        with open(made, "rb+") as file:
            os.fsync(file.fileno())
        return made


def _groups(metadata: pq.FileMetaData, skip: int, stop: int) -> tuple[list[int], int]:
    """The row groups with rows from `skip` to `stop`, and how many rows are before the first of them."""
    groups: list[int] = []
    before = seen = 0
    for i in range(metadata.num_row_groups):
        rows = metadata.row_group(i).num_rows
        if seen + rows > skip and seen < stop:
            before = before if groups else seen
            groups.append(i)
        seen += rows
    return groups, before


def _plain(schema: pa.Schema) -> pa.Schema:
    """The schema without dictionaries, which cannot be appended to a stream, and with each name once."""
    fields = [field.with_type(_plain_type(field.type)) for field in schema]
    return pa.schema(
        [field.with_name(name) for field, name in zip(fields, unique(schema.names), strict=True)], schema.metadata
    )


def _plain_type(kind: pa.DataType) -> pa.DataType:
    """The type without dictionaries at any depth."""

    def plain(field: pa.Field) -> pa.Field:
        return field.with_type(_plain_type(field.type))

    if pa.types.is_dictionary(kind):
        return _plain_type(kind.value_type)
    if pa.types.is_struct(kind):
        return pa.struct([plain(field) for field in kind])
    if pa.types.is_map(kind):
        return pa.map_(plain(kind.key_field), plain(kind.item_field), kind.keys_sorted)
    if pa.types.is_fixed_size_list(kind):
        return pa.list_(plain(kind.value_field), kind.list_size)
    if pa.types.is_large_list(kind):
        return pa.large_list(plain(kind.value_field))
    return pa.list_(plain(kind.value_field)) if pa.types.is_list(kind) else kind


def _values(column: pa.Array) -> list[Any]:
    """Python's values of a column; dates, bytes and the like as text, which is how other formats show them."""
    if pa.types.is_temporal(column.type) or pa.types.is_decimal(column.type):
        column = column.cast(pa.string())
    values: list[Any] = column.to_pylist()
    plain = (str, bool, int, float, list, dict, tuple, type(None))
    return [value if isinstance(value, plain) else to_text(value) for value in values]


def _array(values: list[Any], kind: str) -> pa.Array:
    if kind == "json":
        values = [None if value is None else to_text(value) for value in values]
    try:
        return pa.array(values, TYPES[kind])
    except UnicodeEncodeError:
        clean = [None if v is None else v.encode("utf-8", "backslashreplace").decode() for v in values]
        return pa.array(clean, TYPES[kind])
