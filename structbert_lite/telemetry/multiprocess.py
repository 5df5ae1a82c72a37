"""The folder in which several processes keep their counts. Called by gunicorn's master; the workers only find it."""

import os
import shutil
import tempfile
from pathlib import Path

# The client library's own variable: set before its first import, it makes every metric live in a file.
FOLDER = "PROMETHEUS_MULTIPROC_DIR"
MEMORY = Path("/dev/shm")  # counting writes to mapped pages: on a disk they would be written back all the time
OURS = "structbert-metrics-"


def share_metrics() -> None:
    """Makes the folder, before the first worker starts. One that the operator names is emptied and used."""
    given = Path(os.environ.get(FOLDER, f"{OURS}of-no-process"))
    if given.name.startswith(OURS):  # none is named, or it is of the master that this one will take over from
        place = MEMORY if os.access(MEMORY, os.W_OK) else None
        os.environ[FOLDER] = tempfile.mkdtemp(prefix=f"{OURS}{os.getpid()}-", dir=place)
        return
    given.mkdir(parents=True, exist_ok=True)
    for file in given.glob("*.db"):
        file.unlink()


def forget_worker(pid: int) -> None:
    """A worker has ended: what it held goes, what it counted stays."""
    if FOLDER in os.environ:
        from prometheus_client.multiprocess import mark_process_dead

        mark_process_dead(pid)


def remove_shared_metrics() -> None:
    """Removes the folder if this process made it."""
    folder = Path(os.environ.get(FOLDER, ""))
    if folder.name.startswith(f"{OURS}{os.getpid()}-"):
        shutil.rmtree(folder, ignore_errors=True)
