"""An unfinished output: a file that grows by whole windows, and a journal that says how much of it counts.

A window is written and synced first, then the journal is replaced in one step. Whenever the job is killed, the journal
tells how many rows the first so many bytes hold; what lies behind them is cut off when it goes on.
"""

import fcntl
import json
import os
from pathlib import Path
from typing import Any

from structbert_lite.bulk.job import Counted
from structbert_lite.tables.source import Sink

NOTHING = Counted()


def journal_of(out: Path) -> Path:
    """The journal of the unfinished `out`."""
    return Path(f"{out}.part.json")


def rows_kept(out: Path) -> int:
    """How many rows of the unfinished `out` count, by its journal; 0 where there is none."""
    try:
        rows: int = json.loads(journal_of(out).read_text(encoding="utf-8"))["rows"]
    except (OSError, ValueError):
        return 0
    return rows


class ResumableOutput:
    """`out` with `.part` behind it, and its journal, `.part.json`, until `finish` gives it its name."""

    def __init__(self, out: Path, fingerprint: dict[str, Any] | None, restart: bool) -> None:
        """`fingerprint` None: the job cannot go on after a kill, because its input can be read only once.

        Raises ValueError when another job's output is in the way or another process writes it, or where `out` is no
        file; OSError.
        """
        if out.exists() and not out.is_file():  # a file would take the place of the device or the pipe
            raise ValueError(f"{out} is no file; -o - writes to standard output")
        self.out, self.path, self.journal = out, Path(f"{out}.part"), journal_of(out)
        self.done = Counted()
        self._bytes = 0
        self._fingerprint = fingerprint
        kept = None if restart or fingerprint is None else self._read(fingerprint)
        if kept is not None and kept["finished"] and not (self.path.exists() or out.exists()):
            kept = None  # somebody has removed the result
        self.finished = kept is not None and kept["finished"]
        if kept is None and not restart and out.exists():
            raise ValueError(f"{out} exists already; --restart writes it anew")
        if kept is not None and self.finished and not self.path.exists():  # killed behind its last step but one
            self.done = _counted(kept)
            return
        self._file = self.path.open("ab")
        try:
            self._lock()
            if kept is None:
                self.journal.unlink(missing_ok=True)
            else:
                self._check_size(kept["bytes"])
                self.done, self._bytes = _counted(kept), kept["bytes"]
            self._file.truncate(self._bytes)
        except BaseException:
            self._file.close()
            raise

    @property
    def is_new(self) -> bool:
        """Whether nothing counts yet, not even a header."""
        return self._bytes == self.done.rows == 0

    def append(self, data: bytes, counted: Counted = NOTHING) -> None:
        """Adds bytes that hold whole rows; when this returns they are safe. Raises OSError."""
        self._file.write(data)
        self._sync()
        self.done, self._bytes = self.done.plus(counted), self._bytes + len(data)
        self._write_journal()

    def finish(self, sink: Sink) -> None:
        """Puts the output in its place, in one step. Raises OSError."""
        if not self.finished:
            self.finished = True
            self._write_journal()
        if self.path.exists():
            os.replace(sink.finish(str(self.path)), self.out)
            self.path.unlink(missing_ok=True)
            self._sync_folder()
        self.journal.unlink(missing_ok=True)
        self.close()

    def close(self) -> None:
        """Lets another process go on with it."""
        if hasattr(self, "_file"):
            self._file.close()

    def _read(self, fingerprint: dict[str, Any]) -> dict[str, Any] | None:
        try:
            kept: dict[str, Any] = json.loads(self.journal.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        except ValueError:
            raise ValueError(f"{self.journal} is damaged; --restart begins anew") from None
        theirs = kept["fingerprint"]
        if other := [name for name, value in fingerprint.items() if theirs.get(name) != value]:
            raise ValueError(f"{self.path} is of another job: other {', '.join(other)}; --restart begins anew")
        return kept

    def _lock(self) -> None:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ValueError(f"another process is writing {self.path}") from None

    def _check_size(self, expected: int) -> None:
        size = os.fstat(self._file.fileno()).st_size
        if size < expected:
            raise ValueError(f"{self.path} has {size} bytes, its journal says {expected}; --restart begins anew")

    def _sync(self) -> None:
        self._file.flush()
        os.fsync(self._file.fileno())

    def _write_journal(self) -> None:
        if self._fingerprint is None:
            return
        state = {
            "fingerprint": self._fingerprint,
            **self.done._asdict(),
            "bytes": self._bytes,
            "finished": self.finished,
        }
        new = Path(f"{self.journal}.new")
        with new.open("w", encoding="utf-8") as file:
            json.dump(state, file, ensure_ascii=False)
            file.flush()
            os.fsync(file.fileno())
        new.replace(self.journal)
        self._sync_folder()

    def _sync_folder(self) -> None:
        folder = os.open(self.out.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _counted(journal: dict[str, Any]) -> Counted:
    return Counted(*(journal[name] for name in Counted._fields))


class StdoutOutput:
    """Standard output in place of a file: nothing to go on with."""

    done = Counted()
    is_new, finished = True, False

    def __init__(self) -> None:
        self._file = os.fdopen(os.dup(1), "wb")

    def append(self, data: bytes, counted: Counted = NOTHING) -> None:
        self._file.write(data)
        self._file.flush()
        self.done = self.done.plus(counted)

    def finish(self, _: Sink) -> None:
        self.close()

    def close(self) -> None:
        self._file.close()
