"""HTTP load from threads with one keep-alive connection each. Raw sockets: a client library would be
slower than the server it measures.
"""

import json
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from structbert_lite.cli.crowd import share_out


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


def run_load(port: int, texts: list[str], clients: int) -> LoadFigures:
    """Sends each text once to /predict on loopback, from `clients` threads that take the next one in turn."""
    lock = threading.Lock()
    times: list[float] = []
    failures = 0

    def send(taken: Iterator[bytes]) -> None:
        nonlocal failures
        with socket.create_connection(("127.0.0.1", port)) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for request in taken:
                began = time.perf_counter()
                connection.sendall(request)
                good = _answer_is_good(connection)
                took = time.perf_counter() - began
                with lock:
                    times.append(took)
                    failures += not good

    seconds = share_out([_request(port, text) for text in texts], clients, send)
    p50, p95, p99 = np.percentile(np.array(times) * 1000, [50, 95, 99])
    return LoadFigures(clients, len(times), failures, len(times) / seconds, float(p50), float(p95), float(p99))


def _request(port: int, text: str) -> bytes:
    body = json.dumps({"text": text}, ensure_ascii=False).encode()
    head = f"POST /predict HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\n"
    return head.encode() + f"Content-Length: {len(body)}\r\n\r\n".encode() + body


def _answer_is_good(connection: socket.socket) -> bool:
    """Reads one answer to its end; whether its status is 200. Raises ConnectionError when cut off."""
    data = b""
    while (end := data.find(b"\r\n\r\n")) < 0:
        data += _receive(connection)
    head = data[:end].lower()
    length = int(head.split(b"content-length:")[1].split(b"\r\n")[0])
    while len(data) < end + 4 + length:
        data += _receive(connection)
    return head.startswith(b"http/1.1 200")


def _receive(connection: socket.socket) -> bytes:
    part = connection.recv(65536)
    if not part:
        raise ConnectionError("the server closed the connection in the middle of an answer")
    return part
