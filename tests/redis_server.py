"""A real redis-server of a test's own, on a free loopback port, that can be killed, started again and stopped."""

import os
import signal
import socket
import subprocess
import time
from pathlib import Path
from shutil import which

import pytest
import redis

BINARY = which("redis-server")
START_SECONDS = 20


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class RedisServer:
    """Answers when made. Keeps nothing on disk: after `kill` and `start` it is empty."""

    def __init__(self, folder: Path, *options: str, password: str = "") -> None:
        if BINARY is None:
            pytest.skip("redis-server is not installed; run: apt-get install --yes redis-server")
        self.port = free_port()
        self.url = f"redis://:{password}@127.0.0.1:{self.port}/0" if password else f"redis://127.0.0.1:{self.port}/0"
        self._command = [BINARY, "--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(folder)]
        self._command += ["--save", "", "--appendonly", "no", "--enable-debug-command", "yes", *options]
        if password:
            self._command += ["--requirepass", password]
        self.client = redis.Redis.from_url(self.url, socket_timeout=10)
        self.start()

    def start(self) -> None:
        self._process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        give_up = time.monotonic() + START_SECONDS
        while True:
            try:
                self.client.ping()
            except redis.exceptions.ConnectionError:
                if self._process.poll() is not None or time.monotonic() > give_up:
                    self.kill()
                    pytest.fail("redis-server did not start")
                time.sleep(0.02)
            else:
                return

    def kill(self) -> None:
        """Ends it at once, stopped or not."""
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait(10)

    def stop(self) -> None:
        """From now on it takes connections (the kernel does) and answers nothing."""
        os.kill(self._process.pid, signal.SIGSTOP)

    def go_on(self) -> None:
        os.kill(self._process.pid, signal.SIGCONT)
