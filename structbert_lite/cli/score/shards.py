"""A folder of finished shards: each is a Parquet file that takes its name in one step, once it is whole."""

import fcntl
import json
import os
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from structbert_lite.errors import StructBertError

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
