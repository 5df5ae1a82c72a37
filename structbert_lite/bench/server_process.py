"""A server process, started to be measured."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from structbert_lite.bench.machine import cpu_seconds, private_mb, proportional_mb
from structbert_lite.settings import PREFIX, PROJECT

START_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Server:
    """A running server. `started_in`: seconds from the command to the first answer that it is ready."""

    port: int
    pid: int
    started_in: float

    def memory_mb(self) -> float:
        """Resident memory of the process and its children, in MB, pages they share counted once (Linux)."""
        return sum(map(proportional_mb, [self.pid, *_children(self.pid)]))

    def private_mb(self) -> float:
        """Resident memory that the process and its children share with nobody, not with each other either, in MB."""
        return sum(map(private_mb, [self.pid, *_children(self.pid)]))

    def cpu_seconds(self) -> float:
        """CPU time that the process and its children have used since their start, in seconds."""
        return sum(map(cpu_seconds, [self.pid, *_children(self.pid)]))


@contextmanager
def serve(models: Path, model: str, cache_mb: int) -> Iterator[Server]:
    """Runs the real server with one model on a free loopback port.

    Raises RuntimeError with its log when it does not start.
    """
    port = free_port()
    kept = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    command = [sys.executable, "-m", "gunicorn", "-c", "gunicorn.conf.py"]
    with tempfile.TemporaryDirectory() as alone:  # the models beside it would count as its memory and its start
        (Path(alone) / model).symlink_to((models / model).resolve())
        ours = {"HOST": "127.0.0.1", "PORT": port, "MODELS": alone, "CACHE_MB": cache_mb, "DRAIN_SECONDS": 0}
        environment = kept | {PREFIX + name: str(value) for name, value in ours.items()}
        with run_server(command, port, "/readyz", environment) as server:
            yield server


@contextmanager
def run_server(command: list[str], port: int, ready: str, environment: dict[str, str]) -> Iterator[Server]:
    """Runs `command`, which listens on `port`, in the project's folder until the block ends.

    It is ready when a GET of `ready` answers 200. Raises RuntimeError with its log when it does not get there.
    """
    began = time.perf_counter()
    with tempfile.TemporaryFile() as log:  # a pipe that nobody reads would stop a server with much to say
        process = subprocess.Popen(command, cwd=PROJECT, env=environment, stdout=log, stderr=subprocess.STDOUT)
        try:
            _wait_until_ready(process, port, ready, log)
            yield Server(port, process.pid, time.perf_counter() - began)
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait_until_ready(process: subprocess.Popen[bytes], port: int, ready: str, log: BinaryIO) -> None:
    limit = time.monotonic() + START_SECONDS
    while time.monotonic() < limit:
        if process.poll() is not None:
            log.seek(0)
            raise RuntimeError(f"the server stopped: {log.read().decode(errors='replace')}")
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}{ready}", timeout=5):
                return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.01)
    raise RuntimeError(f"the server was not ready within {START_SECONDS:.0f} s")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _children(pid: int) -> list[int]:
    """All processes below `pid`, those started from its threads included."""
    found = [int(child) for file in Path(f"/proc/{pid}/task").glob("*/children") for child in file.read_text().split()]
    return found + [below for child in found for below in _children(child)]
