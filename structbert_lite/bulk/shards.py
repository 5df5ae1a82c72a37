"""Shards of a job, and a folder of finished ones, each a Parquet file that takes its name once it is whole.

`score_shard` is what every executor that works by shards does in each of its workers.
"""

import fcntl
import json
import os
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from structbert_lite.bulk.job import Counted, Job
from structbert_lite.bulk.scorer import Scorer, check_names, choose_columns, count, map_windows, window_rows
from structbert_lite.errors import StructBertError
from structbert_lite.tables.formats import open_parquet, open_sink

JOB, DONE = "_job.json", "_SUCCESS"  # who reads a folder as one table skips names that begin with _ or a dot
SHARDS, UNFINISHED = "part-*.parquet", ".attempt-*"
ATTEMPTS = 3  # that may end with their process, before it is the shard's own fault


class Shard(NamedTuple):
    """Rows `first` to `first + rows` of the Parquet file `source`; `number` is its place in the whole output."""

    number: int
    source: Path
    first: int
    rows: int

    @property
    def name(self) -> str:
        return f"part-{self.number:06}.parquet"


def cut_shards(files: Sequence[tuple[Path, int]], size: int) -> list[Shard]:
    """Shards of at most `size` rows, in the order of the (path, rows) in `files`; an empty file is one empty shard."""
    places = [(path, first, min(size, rows - first)) for path, rows in files for first in range(0, rows or 1, size)]
    return [Shard(number, *place) for number, place in enumerate(places)]


def shards_kept(folder: Path) -> int:
    """How many shards of the unfinished output are there."""
    return len(list(folder.glob(SHARDS)))


class ShardFolder:
    """Holds the folder until `close`; whatever shard is in it is of this very job."""

    def __init__(self, path: Path, fingerprint: dict[str, Any], restart: bool) -> None:
        """Raises ValueError when another job's output is in the way or another process writes it; OSError."""
        self.path = path
        path.mkdir(exist_ok=True)
        strange = sorted(entry.name for entry in path.iterdir() if not _is_ours(entry))
        if strange:
            raise ValueError(f"{path} holds something else: {strange[0]}; name a new folder")
        self._file = (path / JOB).open("a+", encoding="utf-8")
        try:
            self._begin(fingerprint, restart)
        except BaseException:
            self._file.close()
            raise

    def has(self, shard: Shard) -> bool:
        return (self.path / shard.name).exists()

    def finish(self) -> None:
        """Marks the output as whole, and takes away what killed actors left."""
        _remove(self.path, UNFINISHED)
        (self.path / DONE).touch()
        _sync_folder(self.path)

    def close(self) -> None:
        """Lets another process go on with it."""
        self._file.close()

    def _begin(self, fingerprint: dict[str, Any], restart: bool) -> None:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ValueError(f"another process is writing {self.path}") from None
        # Whoever still works on one of them finds it gone when it is done, so that nothing of it can come in later.
        _remove(self.path, UNFINISHED)
        if restart:
            _remove(self.path, DONE)
            _remove(self.path, SHARDS)
        elif shards_kept(self.path):
            self._compare(fingerprint)
            return
        self._file.seek(0)
        self._file.truncate()
        json.dump(fingerprint, self._file, ensure_ascii=False)
        self._file.flush()
        os.fsync(self._file.fileno())
        _sync_folder(self.path)

    def _compare(self, fingerprint: dict[str, Any]) -> None:
        self._file.seek(0)
        try:
            theirs = json.load(self._file)
        except ValueError:
            raise ValueError(f"{self.path / JOB} is damaged; --restart begins anew") from None
        if other := [name for name, value in fingerprint.items() if theirs.get(name) != value]:
            raise ValueError(f"{self.path} is of another job: other {', '.join(other)}; --restart begins anew")


@contextmanager
def make_shard(folder: Path, shard: Shard) -> Iterator[Path]:
    """Where to make the shard; when the block ends the file, whole and synced, takes the shard's name.

    Raises StructBertError where `ATTEMPTS` processes have ended while they made it; OSError.
    """
    if len(list(folder.glob(f".attempt-{shard.number:06}-{'?' * 32}"))) >= ATTEMPTS:
        raise StructBertError(
            f"{ATTEMPTS} processes have ended while they made {shard.name}, "
            f"rows {shard.first} to {shard.first + shard.rows} of {shard.source}"
        )
    # A name of its own each time, for two may be at the same shard when one seems dead.
    attempt = folder / f".attempt-{shard.number:06}-{uuid.uuid4().hex}"
    attempt.touch()
    try:
        yield attempt
        os.replace(attempt, folder / shard.name)
        _sync_folder(folder)
    finally:
        _remove(folder, f"{attempt.name}*")


def _is_ours(entry: Path) -> bool:
    return entry.name in {JOB, DONE} or entry.match(SHARDS) or entry.match(UNFINISHED)


def _remove(folder: Path, pattern: str) -> None:
    for path in folder.glob(pattern):
        path.unlink(missing_ok=True)


def _sync_folder(path: Path) -> None:
    folder = os.open(path, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


class Plan(NamedTuple):
    """The shards of a job, what identifies its input (each file's name, size, time of change and rows), its columns."""

    shards: list[Shard]
    identity: list[list[Any]]
    columns: tuple[str, ...]


def plan_shards(job: Job, scorer: Scorer, size: int) -> Plan:
    """Raises ValueError for files that do not fit each other or the job; OSError."""
    if job.source is None:
        raise ValueError("shards are of a Parquet file or a folder of them, not of standard input")
    paths = sorted(job.source.glob("*.parquet")) if job.source.is_dir() else [job.source]
    if not paths:
        raise ValueError(f"there is no *.parquet in {job.source}")
    sources = [open_parquet(path) for path in paths]
    for path, source in zip(paths, sources, strict=True):
        if not source.schema.equals(sources[0].schema):
            raise ValueError(f"{path} has other columns or types than {paths[0]}")
    job = choose_columns(job, sources[0])
    check_names(sources[0].columns, scorer.columns)
    rows = [source.total for source in sources]
    stats = [path.stat() for path in paths]
    identity = [[p.name, s.st_size, s.st_mtime_ns, n] for p, s, n in zip(paths, stats, rows, strict=True)]
    return Plan(cut_shards(list(zip(paths, rows, strict=True)), size), identity, job.columns)


def score_shard(job: Job, load: Callable[[], Scorer], shard: Shard, folder: Path) -> Counted:
    """Makes the shard in `folder`, and counts its rows.

    Raises ValueError and OSError, and leaves nothing behind then; StructBertError, also where it has ended several
    processes before.
    """
    counted = Counted()
    with make_shard(folder, shard) as attempt:
        scorer, source = load(), open_parquet(shard.source)
        sink = open_sink("parquet", source, scorer.columns, "utf-8", False)
        with attempt.open("rb+") as file:
            file.write(sink.head())
            windows = source.windows(window_rows(job), shard.first, shard.first + shard.rows)
            for window, results in map_windows(scorer, windows):
                counted = counted.plus(count(results))
                file.write(sink.rows(window, results))
        os.replace(sink.finish(str(attempt)), attempt)
    return counted


def count_shard(job: Job, shard: Shard, folder: Path) -> Counted:
    """Counts the rows of a finished shard. Raises ValueError where it is not what it should be."""
    source = open_parquet(folder / shard.name)
    if source.total != shard.rows:
        raise ValueError(f"{folder / shard.name} has {source.total} rows, not {shard.rows}; remove it")
    asked = ["label", "score", "error"] if job.task == "sentiment" else ["error"]
    counted = Counted()
    for rows in source.read_columns([f"{job.prefix}{name}" for name in asked]):
        counted = counted.plus(count([row if len(row) > 1 else (None, None, *row) for row in rows]))
    return counted
