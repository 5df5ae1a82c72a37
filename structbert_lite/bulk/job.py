"""What `score` was asked to do, where, and how far it has come."""

import sys
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NamedTuple

from tqdm import tqdm

from structbert_lite import __version__
from structbert_lite.inference.prefix import CACHE_BYTES
from structbert_lite.manifest import MANIFEST_NAME, Task, file_sha256
from structbert_lite.tables.formats import Format
from structbert_lite.tables.header import TableOptions

SHARD_ROWS = 50_000  # of one file of Parquet


@dataclass(frozen=True, slots=True)
class Job:
    """`source` and `out` None: standard input and output. `encoding` None: found out; None of `out`: the source's.

    `columns` hold what the task reads; `options` are those of its pipeline's `predict`; `others`: a combined task's
    further models, as open_pipeline has them. `guess`: where there is no such column, one whose name says that it has
    the texts may take its place.
    """

    task: Task | Literal["aspects"]
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
    delimiter: str | None = None
    sheet: str | None = None
    header_row: int | None = None
    guess: bool = False
    restart: bool = False
    threads: int = 1
    others: tuple[Path, ...] = ()
    early_exit: bool = True  # whether a text leaves at a model's exits
    prefix_bytes: int = CACHE_BYTES  # for texts that are read once; the output does not depend on it

    @property
    def table(self) -> TableOptions:
        """How to find the table in the source."""
        return TableOptions(self.columns, self.header_row, self.delimiter, self.sheet, self.quoted)

    def fingerprint(self, digest: str) -> dict[str, Any]:
        """All that the output depends on, `digest` being the input's: an unfinished output is of one such job."""
        return {
            "input": digest,
            "task": self.task,
            "model": " ".join(file_sha256(folder / MANIFEST_NAME) for folder in (self.model, *self.others)),
            "format": [self.source_format, self.out_format],
            "columns": list(self.columns),
            "options": {name: list(v) if isinstance(v, tuple) else v for name, v in self.options.items()},
            "prefix": self.prefix,
            "encoding": [self.encoding, self.out_encoding],
            "quoted": self.quoted,
            "table": [self.delimiter, self.sheet, self.header_row],
            "early_exit": self.early_exit,
            "version": __version__,
        }


class Counted(NamedTuple):
    """Rows written: how many have an error, have no text (or a shop's words in its place), have some other error."""

    rows: int = 0
    errors: int = 0
    blank: int = 0
    wrong: int = 0

    def plus(self, other: "Counted") -> "Counted":
        """Both together."""
        return Counted(*(one + more for one, more in zip(self, other, strict=True)))


@dataclass(slots=True)
class Counts:
    """What is `done`, how many rows of it by an earlier run of the same job, and the source's rows that are none."""

    done: Counted = field(default_factory=Counted)
    before: int = 0
    left_out: int = 0


class Progress:
    """A bar with rate and time left on a terminal, a line at the end elsewhere; `quiet`: neither."""

    def __init__(self, quiet: bool) -> None:
        self._quiet = quiet
        self._bar: tqdm | None = None
        self._began = time.monotonic()
        self.counts = Counts()
        self._notices: list[str] = []

    def begin(self, total: int | None, counts: Counts) -> None:
        """The model is loaded; `counts` holds what an earlier run has done."""
        self._began = time.monotonic()
        self.counts = counts
        if not self._quiet and sys.stderr.isatty():
            self._bar = tqdm(total=total, initial=counts.before, unit=" rows", dynamic_ncols=True, smoothing=0.1)

    def advance(self, rows: int) -> None:
        """So many rows more are written; `counts` has them already."""
        if self._bar is not None:
            if self.counts.done.wrong:
                self._bar.set_postfix_str(f"{self.counts.done.wrong} wrong", refresh=False)
            self._bar.update(rows)

    def end(self) -> None:
        """Takes the bar away, or leaves it as it stands."""
        if self._bar is not None:
            self._bar.close()

    def tell(self, notices: Iterable[str]) -> None:
        """Sentences that a person should read; each is said once."""
        for notice in notices:
            if notice and notice not in self._notices and not self._quiet:
                print(f"Note: {notice}", file=sys.stderr)  # noqa: T201
            self._notices.append(notice)

    def report(self, where: str) -> None:
        """One line about the finished job; its first number is the sum of the others before `left out`."""
        if self._quiet:
            return
        done, before, left_out = self.counts.done, self.counts.before, self.counts.left_out
        seconds = time.monotonic() - self._began
        line = f"{done.rows + left_out} rows in: {done.rows - done.blank - done.wrong} scored, {done.blank} blank, "
        line += f"{done.wrong} wrong, {left_out} left out; written to {where}; {seconds:.1f} s"
        if before:
            line += f", {before} rows of an earlier run kept"
        print(f"{line}, {(done.rows - before) / max(seconds, 1e-9):.0f} rows/s", file=sys.stderr)  # noqa: T201


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
