"""HTTP load from threads with one keep-alive connection each. Raw sockets: a client library would be
slower than the server it measures.
"""

import json
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from structbert_lite.bench.crowd import share_out

ANSWER_SECONDS = 60.0  # for one answer
LOAD_SECONDS = 300.0  # for a whole load: what is not sent by then has failed


@dataclass(frozen=True, slots=True)
class LoadFigures:
    """What one load gave. Times in milliseconds."""

    clients: int
    requests: int
    failures: int
    per_second: float
    p50_ms: float
    p95_ms: float
    p99_ms: float


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer: whether its status was 200, its body, and how long it took in seconds."""

    good: bool
    body: bytes
    seconds: float


def run_load(
    port: int,
    texts: list[str],
    clients: int,
    path: str = "/predict",
    body_of: Callable[[str], Any] = lambda text: {"text": text},
) -> LoadFigures:
    """Sends each text once to `path` on loopback, from `clients` threads that take the next one in turn."""
    answers, seconds = ask_all(port, path, [body_of(text) for text in texts], clients)
    came = [answer for answer in answers if answer is not None]
    good = sum(answer.good for answer in came)
    p50, p95, p99 = np.percentile(np.array([answer.seconds for answer in came] or [np.nan]) * 1000, [50, 95, 99])
    return LoadFigures(clients, len(texts), len(texts) - good, good / seconds, float(p50), float(p95), float(p99))


def ask_all(port: int, path: str, bodies: list[Any], clients: int) -> tuple[list[Answer | None], float]:
    """Posts each body as JSON; the answers in the bodies' order and the seconds it all took.

    None stands for an answer that did not come: the connection broke, or the time was over.
    """
    requests = [(i, write_request(port, path, body)) for i, body in enumerate(bodies)]
    answers: list[Answer | None] = [None] * len(bodies)
    limit = time.monotonic() + LOAD_SECONDS

    def send(taken: Iterator[tuple[int, bytes]]) -> None:
        client = Client(port)
        for i, request in taken:
            if time.monotonic() > limit:
                break
            answers[i] = client.ask(request)
        client.close()

    return answers, share_out(requests, clients, send)


class Client:
    """One keep-alive connection to a server on loopback, made anew after it broke."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._connection: socket.socket | None = None

    def ask(self, request: bytes) -> Answer | None:
        """The answer to what `write_request` made; None when the connection broke."""
        began = time.perf_counter()
        try:
            if self._connection is None:
                self._connection = _connect(self._port)
            self._connection.sendall(request)
            good, stays_open, body = _read_answer(self._connection)
        except OSError:
            self.close()
            return None
        if not stays_open:
            self.close()
        return Answer(good, body, time.perf_counter() - began)

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _connect(port: int) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", port), timeout=ANSWER_SECONDS)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def write_request(port: int, path: str, body: Any) -> bytes:
    """A POST of `body` as JSON, ready to be sent."""
    data = json.dumps(body, ensure_ascii=False).encode()
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\n"
    return head.encode() + f"Content-Length: {len(data)}\r\n\r\n".encode() + data


def _read_answer(connection: socket.socket) -> tuple[bool, bool, bytes]:
    """Reads one answer to its end: is its status 200, does the connection stay open, its body.

    Raises ConnectionError when it is cut off or does not tell its length.
    """
    data = b""
    while (end := data.find(b"\r\n\r\n")) < 0:
        data += _receive(connection)
    head = data[:end].lower()
    if b"content-length:" not in head:
        raise ConnectionError("an answer without a length")
    length = int(head.split(b"content-length:")[1].split(b"\r\n")[0])
    while len(data) < end + 4 + length:
        data += _receive(connection)
    closes = head.startswith(b"http/1.0") or b"connection: close" in head
    return head.split(b" ", 2)[1] == b"200", not closes, data[end + 4 :]


def _receive(connection: socket.socket) -> bytes:
    part = connection.recv(65536)
    if not part:
        raise ConnectionError("the server closed the connection in the middle of an answer")
    return part
