"""The real server as a process, and a crowd of clients that counts what becomes of every request."""

import http.client
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import TypeVar

from structbert_lite.bench.server_process import free_port
from structbert_lite.settings import PREFIX, PROJECT

T = TypeVar("T")

PATIENCE = 60.0  # seconds; a busy machine is slow


def run_apart(function: Callable[..., T], *arguments: object) -> T:
    """What `function` returns, called in a thread: a browser's tests leave a running loop in the main one."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(function, *arguments).result()


@dataclass(frozen=True, slots=True)
class Running:
    """gunicorn with the project's configuration."""

    process: subprocess.Popen
    port: int
    log_file: Path

    @property
    def log(self) -> str:
        return self.log_file.read_text(errors="replace")

    def get(self, path: str) -> tuple[int, dict]:
        """(status, body); status 0 where nobody listens."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        except ConnectionRefusedError:
            return 0, {}
        finally:
            connection.close()

    def wait_until_ready(self) -> None:
        self.wait_for(lambda: self.get("/readyz")[0] == 200)

    def wait_for_log(self, words: str) -> None:
        self.wait_for(lambda: words in self.log)

    def wait_for(self, condition) -> None:
        limit = time.monotonic() + PATIENCE
        while not condition():
            assert self.process.poll() is None, self.log
            assert time.monotonic() < limit, self.log
            time.sleep(0.01)

    def send(self, number: signal.Signals) -> None:
        self.process.send_signal(number)


@contextmanager
def run(models: Path, log_file: Path, **settings: object) -> Iterator[Running]:
    """The server on a free loopback port; not waited for."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    port = free_port()
    ours = {PREFIX + name.upper(): str(v) for name, v in ({"port": port, "models": models} | settings).items()}
    command = [sys.executable, "-m", "gunicorn", "-c", "gunicorn.conf.py"]
    with log_file.open("wb") as log:
        process = subprocess.Popen(
            command, cwd=PROJECT, env=kept | ours, stdout=log, stderr=log, start_new_session=True
        )
    try:
        yield Running(process, port, log_file)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)  # the worker too
        process.wait(PATIENCE)


@dataclass
class Crowd:
    """Clients that ask without a pause, each a new text every time, until they are stopped or refused.

    `keep_alive` of them stay on one connection as long as the server lets them, the others take a new one every time.
    A connection that is refused is no loss: nothing was sent. Whatever else is no answer is one.
    """

    port: int
    path: str
    field: str
    keep_alive: int
    one_shot: int
    items: int = 1
    answers: Counter = field(default_factory=Counter)  # by status
    refused: int = 0
    lost: list[str] = field(default_factory=list)
    last_answer: float = 0.0  # an instant of time.monotonic
    _stopped: bool = False

    @contextmanager
    def asking(self) -> Iterator["Crowd"]:
        """The clients run until the block ends, and are waited for."""
        kinds = [True] * self.keep_alive + [False] * self.one_shot
        threads = [threading.Thread(target=self._ask, args=(n, kept)) for n, kept in enumerate(kinds)]
        for thread in threads:
            thread.start()
        try:
            yield self
        finally:
            self._stopped = True
            for thread in threads:
                thread.join(PATIENCE)
                assert not thread.is_alive(), "a client hangs"

    def wait_for_answers(self, more: int) -> None:
        """Returns when the clients have got `more` answers from now on."""
        enough, limit = sum(self.answers.values()) + more, time.monotonic() + PATIENCE
        while sum(self.answers.values()) < enough:
            assert time.monotonic() < limit, (self.answers, self.refused, self.lost)
            time.sleep(0.01)

    def _ask(self, client: int, kept: bool) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        for number in count():
            if self._stopped:
                break
            try:
                if connection.sock is None:
                    connection.connect()
            except ConnectionRefusedError:
                self.refused += 1
                break
            headers = {"Content-Type": "application/json"} | ({} if kept else {"Connection": "close"})
            try:
                texts = [f"第{client}位客人的第{number}次提问，第{item}句话" for item in range(self.items)]
                connection.request("POST", self.path, json.dumps({self.field: texts}), headers)
                answer = connection.getresponse()
                answer.read()
            except (OSError, http.client.HTTPException) as error:
                self.lost.append(repr(error))
                connection.close()
                continue
            self.answers[answer.status] += 1
            self.last_answer = time.monotonic()
        connection.close()
