"""The real server as one of several: always on the same port, killed, frozen, stopped and started again."""

import os
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from structbert_lite.settings import PREFIX, PROJECT
from tests.deploy.nginx import free_port
from tests.telemetry.scrape import Scrape, parse

PATIENCE = 180.0  # seconds; a busy machine is slow


class Replica:
    """gunicorn with the project's configuration; not started when made."""

    def __init__(self, log: Path, **settings: object) -> None:
        self.port = free_port()
        self._log = log
        ours = {"host": "127.0.0.1", "port": self.port} | settings
        self._environment = {name: v for name, v in os.environ.items() if not name.startswith(PREFIX)}
        self._environment |= {PREFIX + name.upper(): str(value) for name, value in ours.items()}
        self._process: subprocess.Popen | None = None

    def start(self) -> None:
        """Returns before it is ready."""
        with self._log.open("ab") as log:
            command = [sys.executable, "-m", "gunicorn", "-c", "gunicorn.conf.py"]
            # A group of its own, so that the worker gets the same signals as its master.
            self._process = subprocess.Popen(
                command, cwd=PROJECT, env=self._environment, stdout=log, stderr=log, start_new_session=True
            )

    def wait_until_ready(self) -> None:
        limit = time.monotonic() + PATIENCE
        while True:
            try:
                self._get("/readyz")
            except OSError:
                assert self._process.poll() is None, self._log.read_text()
                assert time.monotonic() < limit, self._log.read_text()
                time.sleep(0.02)
            else:
                return

    def scrape(self) -> Scrape:
        return parse(self._get("/metrics"))

    def answered(self) -> float:
        """Requests that it has answered since it started, but those of probes and of this one."""
        scrape = self.scrape()
        return scrape.total("structbert_http_requests_total", method="POST", status="200")

    def send(self, number: signal.Signals) -> None:
        """To the master and its worker."""
        os.killpg(self._process.pid, number)

    def kill(self) -> None:
        """Ends it at once, as a crash or the kernel's lack of memory would."""
        if self._process is not None and self._process.poll() is None:
            self.send(signal.SIGKILL)
            self._process.wait(PATIENCE)

    def stop(self) -> None:
        """As an orchestrator does: SIGTERM to the master; waits for its end."""
        self._process.terminate()
        assert self._process.wait(PATIENCE) == 0, self._log.read_text()

    def _get(self, path: str) -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=PATIENCE) as answer:
            return answer.read().decode()
