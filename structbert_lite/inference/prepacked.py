"""Graphs as this machine's onnxruntime keeps them: optimized, their weights in the order in which its CPU reads them.

onnxruntime maps such a file into memory, where it would otherwise copy and reorder the weights for each process. The
order depends on its version and on the CPU, so no model brings it: it is made where it is used.
"""

import json
import logging
import os
import shutil
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from structbert_lite.manifest import MODEL_NAME, file_sha256

log = logging.getLogger(__name__)

FOLDER = "prepacked"
DIGESTS = "digests.json"
UNFINISHED = ".making-"
ABANDONED_SECONDS = 3600.0
MOST_BYTES = 4 << 30  # of all entries; those longest unused go first
SPARE_BYTES = 1 << 30  # that stay free on the disk


class PrepackedGraphs:
    """A folder of its user's own with an entry for each model, onnxruntime and CPU; processes may share it.

    An entry is made aside and renamed, and holds the digest of each of its files, which is compared whenever it is
    taken up: what is damaged or half removed is made anew.
    """

    def __init__(self, folder: Path, most_bytes: int = MOST_BYTES) -> None:
        self._folder = folder / FOLDER
        self._most_bytes = most_bytes
        self._reported = False

    def find(self, key: str, needed: int, make: Callable[[Path], None]) -> Path | None:
        """The graph called `key`, made where it is not there; None, and one line in the log, where it cannot be made.

        `make` writes a graph to the path that it is given, in about `needed` bytes, and its weights beside it.
        """
        entry = self._folder / key
        try:
            self._check_owner()
            if not _is_whole(entry):
                if shutil.disk_usage(self._folder).free < needed + SPARE_BYTES:
                    raise OSError("too little space on the disk")
                self._make(entry, make)
                if not _is_whole(entry):
                    raise OSError(f"{entry} cannot be replaced")
                log.info("wrote a model's weights as this CPU reads them to %s", entry)
            with suppress(OSError):  # what is there can be read though nobody may write
                os.utime(entry)
        except Exception as error:  # onnxruntime's exceptions share no base class
            self.report(error)
            return None
        return entry / MODEL_NAME

    def report(self, error: Exception) -> None:
        """Says in the log why weights are not shared, once."""
        if not self._reported:
            self._reported = True
            log.warning("%s cannot be used, each process keeps its weights for itself: %s", self._folder, error)

    def _check_owner(self) -> None:
        """Whoever may write there may change answers."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        facts = self._folder.stat()
        if facts.st_uid not in (0, os.geteuid()) or facts.st_mode & 0o022:
            raise PermissionError("others may write there")

    def _make(self, entry: Path, make: Callable[[Path], None]) -> None:
        with TemporaryDirectory(prefix=UNFINISHED, dir=self._folder, ignore_cleanup_errors=True) as aside:
            made = Path(aside, entry.name)
            made.mkdir()
            make(made / MODEL_NAME)
            digests = {path.name: file_sha256(path) for path in sorted(made.iterdir())}
            (made / DIGESTS).write_text(json.dumps(digests))
            with suppress(OSError):  # another process may do the same at the same time; one of them wins
                if not _is_whole(entry):
                    entry.rename(Path(aside, "damaged"))
            with suppress(OSError):
                made.rename(entry)
        with suppress(OSError):
            self._remove_old(entry)

    def _remove_old(self, newest: Path) -> None:
        entries = sorted(((path.stat().st_mtime, path) for path in self._folder.iterdir()), reverse=True)
        size = 0
        for used, path in entries:
            if path.name.startswith(UNFINISHED):
                unwanted = used < time.time() - ABANDONED_SECONDS
            else:
                size += sum(file.stat().st_size for file in path.iterdir())
                unwanted = size > self._most_bytes and path != newest
            if unwanted:
                shutil.rmtree(path, ignore_errors=True)


def _is_whole(entry: Path) -> bool:
    try:
        digests = json.loads((entry / DIGESTS).read_bytes())
        return MODEL_NAME in digests and all(file_sha256(entry / name) == digest for name, digest in digests.items())
    except (OSError, ValueError, TypeError, AttributeError):
        return False
