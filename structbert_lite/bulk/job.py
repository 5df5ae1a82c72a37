"""What `score` was asked to do, where, and how far it has come."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from structbert_lite import __version__
from structbert_lite.manifest import MANIFEST_NAME, Task, file_sha256
from structbert_lite.tables.formats import Format

SHARD_ROWS = 50_000  # of one file of Parquet


@dataclass(frozen=True, slots=True)
class Job:
    """`source` and `out` None: standard input and output. `encoding` None: found out; None of `out`: the source's.

    `columns` hold what the task reads; `options` are those of its pipeline's `predict`; `quoted`: TSV has quotes too.
    """

    task: Task
    model: Path
    source: Path | None
    out: Path | None
    source_format: Format
    out_format: Format
    columns: tuple[str, ...]
    options: Mapping[str, Any]
    prefix: str = ""
    encoding: str | None = None
    out_encoding: str | None = None
    quoted: bool = False
    restart: bool = False
    threads: int = 1

    def fingerprint(self, digest: str) -> dict[str, Any]:
        """All that the output depends on, `digest` being the input's: an unfinished output is of one such job."""
        return {
            "input": digest,
            "task": self.task,
            "model": file_sha256(self.model / MANIFEST_NAME),
            "format": [self.source_format, self.out_format],
            "columns": list(self.columns),
            "options": {name: list(v) if isinstance(v, tuple) else v for name, v in self.options.items()},
            "prefix": self.prefix,
            "encoding": [self.encoding, self.out_encoding],
            "quoted": self.quoted,
            "version": __version__,
        }


@dataclass(slots=True)
class Counts:
    """Rows written, how many of them with an error, and how many of them by an earlier run of the same job."""

    rows: int = 0
    errors: int = 0
    before: int = 0


class Cluster(NamedTuple):
    """`address` None: a Ray of its own on this machine. `actors` None: as many as the cluster has CPUs for."""

    address: str | None = None
    actors: int | None = None
    shard_rows: int = SHARD_ROWS


def check_files(source: Path | None, out: Path | None, source_format: str | None, cluster: Cluster | None) -> None:
    """Raises ValueError where the executor cannot read `source` or write `out`; None: standard input, output."""
    if cluster is None:
        for path in (source, out):
            if path is not None and path.is_dir():
                raise ValueError(f"{path} is a folder, which only --executor ray reads and writes")
        return
    folder_or_parquet = source is not None and (source.is_dir() or source.suffix.lower() in {".parquet", ".pq"})
    if not folder_or_parquet and source_format != "parquet":
        raise ValueError("--executor ray reads a Parquet file or a folder of them")
    if out is None or (out.exists() and not out.is_dir()):
        raise ValueError("--executor ray writes a folder of Parquet files")
    if not out.resolve().parent.is_dir():
        raise ValueError(f"the folder {out.resolve().parent} does not exist")
    if source is not None and source.resolve() in {out.resolve(), *out.resolve().parents}:
        raise ValueError("the output would be a part of the input; give another name")
