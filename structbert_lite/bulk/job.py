"""What `score` was asked to do, where, and how far it has come."""

import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from tqdm import tqdm

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
    early_exit: bool = True  # whether a text leaves at a model's exits

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
            "early_exit": self.early_exit,
            "version": __version__,
        }


@dataclass(slots=True)
class Counts:
    """Rows written, how many of them with an error, and how many of them by an earlier run of the same job."""

    rows: int = 0
    errors: int = 0
    before: int = 0


class Progress:
    """A bar with rate and time left on a terminal, a line at the end elsewhere; `quiet`: neither."""

    def __init__(self, quiet: bool) -> None:
        self._quiet = quiet
        self._bar: tqdm | None = None
        self._began = time.monotonic()
        self.counts = Counts()

    def begin(self, total: int | None, counts: Counts) -> None:
        """The model is loaded; `counts` holds what an earlier run has done."""
        self._began = time.monotonic()
        self.counts = counts
        if not self._quiet and sys.stderr.isatty():
            self._bar = tqdm(total=total, initial=counts.before, unit=" rows", dynamic_ncols=True, smoothing=0.1)

    def advance(self, rows: int) -> None:
        """So many rows more are written; `counts` has them already."""
        if self._bar is not None:
            if self.counts.errors:
                self._bar.set_postfix_str(f"{self.counts.errors} with an error", refresh=False)
            self._bar.update(rows)

    def end(self) -> None:
        """Takes the bar away, or leaves it as it stands."""
        if self._bar is not None:
            self._bar.close()

    def report(self, where: str) -> None:
        """One line about the finished job."""
        if self._quiet:
            return
        counts, seconds = self.counts, time.monotonic() - self._began
        new = counts.rows - counts.before
        line = f"{counts.rows} rows in {where}, {counts.errors} with an error; {seconds:.1f} s"
        if counts.before:
            line += f", {counts.before} rows of an earlier run kept"
        print(f"{line}, {new / max(seconds, 1e-9):.0f} rows/s", file=sys.stderr)  # noqa: T201


class RayOptions(NamedTuple):
    """`address` None: a Ray of its own on this machine. `actors` None: as many as the cluster has CPUs for."""

    address: str | None = None
    actors: int | None = None
    shard_rows: int = SHARD_ROWS


def check_files(source: Path | None, out: Path | None, source_format: str | None, cluster: RayOptions | None) -> None:
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
