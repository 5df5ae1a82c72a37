"""Load on a server on loopback: a closed loop, whose clients wait for their answers, and an open one, which asks on.

Raw sockets: a client library would be slower than the server that it measures.
"""

import json
import random
import selectors
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import numpy as np

ANSWER_SECONDS = 60.0  # for one answer of a closed loop
LOAD_SECONDS = 300.0  # for a whole closed loop: what is not sent by then has failed
CONNECTIONS = 900  # of an open loop at the most; a request that finds none free counts as not answered
LAST_ANSWER_SECONDS = 30.0  # for the last answers of an open loop

Item = TypeVar("Item")


class _Shared(Generic[Item]):
    """An iterator that several threads may advance."""

    def __init__(self, items: Sequence[Item]) -> None:
        self._items = iter(items)
        self._lock = threading.Lock()

    def __iter__(self) -> Iterator[Item]:
        return self

    def __next__(self) -> Item:
        with self._lock:
            return next(self._items)


def run_in_threads(items: Sequence[Item], threads: int, work: Callable[[Iterator[Item]], None]) -> float:
    """Calls `work` in each of `threads` threads with one iterator over `items`; returns the seconds it took."""
    shared = _Shared(items)
    workers = [threading.Thread(target=work, args=(shared,)) for _ in range(threads)]
    began = time.perf_counter()
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return time.perf_counter() - began


def write_request(port: int, path: str, body: Any) -> bytes:
    """A POST of `body` as JSON, ready to be sent."""
    data = json.dumps(body, ensure_ascii=False).encode()
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\n"
    return head.encode() + f"Content-Length: {len(data)}\r\n\r\n".encode() + data


def _parse_answer(data: bytes | bytearray) -> tuple[int, bytes, bool] | None:
    """The status, the body and whether the connection stays open; None while some of the answer is missing.

    Raises ConnectionError for an answer that does not tell its length.
    """
    end = data.find(b"\r\n\r\n")
    if end < 0:
        return None
    head = bytes(data[:end]).lower()
    if b"content-length:" not in head:
        raise ConnectionError("an answer without a length")
    length = int(head.partition(b"content-length:")[2].partition(b"\r\n")[0])
    if len(data) < end + 4 + length:
        return None
    stays_open = not head.startswith(b"http/1.0") and b"connection: close" not in head
    return int(head.split(b" ", 2)[1]), bytes(data[end + 4 :]), stays_open


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer: whether its status was 200, its body, and how long it took in seconds."""

    good: bool
    body: bytes
    seconds: float


@dataclass(frozen=True, slots=True)
class LoadFigures:
    """What one closed loop gave. Times in milliseconds."""

    clients: int
    requests: int
    failures: int
    per_second: float
    p50_ms: float
    p95_ms: float
    p99_ms: float


def measure_closed_loop(
    port: int,
    texts: list[str],
    clients: int,
    path: str = "/predict",
    body_of: Callable[[str], Any] = lambda text: {"text": text},
) -> LoadFigures:
    """Sends each text once to `path`, from `clients` threads that take the next one in turn."""
    answers, seconds = closed_loop(port, path, [body_of(text) for text in texts], clients)
    came = [answer for answer in answers if answer is not None]
    good = sum(answer.good for answer in came)
    p50, p95, p99 = np.percentile(np.array([answer.seconds for answer in came] or [np.nan]) * 1000, [50, 95, 99])
    return LoadFigures(clients, len(texts), len(texts) - good, good / seconds, float(p50), float(p95), float(p99))


def closed_loop(port: int, path: str, bodies: list[Any], clients: int) -> tuple[list[Answer | None], float]:
    """Posts each body as JSON, a client its next one when it has its answer; the answers in the bodies' order, seconds.

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

    return answers, run_in_threads(requests, clients, send)


class Client:
    """One keep-alive connection, made anew after it broke."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._connection: socket.socket | None = None

    def ask(self, request: bytes) -> Answer | None:
        """The answer to what `write_request` made; None when the connection broke."""
        began = time.perf_counter()
        try:
            if self._connection is None:
                self._connection = socket.create_connection(("127.0.0.1", self._port), timeout=ANSWER_SECONDS)
                self._connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._connection.sendall(request)
            data = bytearray()
            while (found := _parse_answer(data)) is None:
                part = self._connection.recv(65536)
                if not part:
                    raise ConnectionError("the server closed the connection in the middle of an answer")
                data += part
        except OSError:
            self.close()
            return None
        status, body, stays_open = found
        if not stays_open:
            self.close()
        return Answer(status == 200, body, time.perf_counter() - began)

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


@dataclass(slots=True)
class Outcome:
    """What became of one request, to be sent at `at` seconds. `status` 0: no answer. `seconds`: from then on."""

    at: float
    status: int = 0
    seconds: float = 0.0
    right: bool = False


def open_loop(
    port: int,
    requests: list[bytes],
    rate: float,
    seconds: float,
    is_right: Callable[[int, int, bytes], bool],
    seed: int,
) -> tuple[list[Outcome], float]:
    """Sends `requests`, in turn and again, `rate` a second at random instants, for `seconds`, answered or not.

    Clients that wait for their answers slow down with the server and never overload it; the world does not. One thread:
    the machine is to be busy with the server. `is_right(i, status, body)` judges the answer to `requests[i]`. Returns
    what became of each request in the order of sending, and the seconds from the first instant to the last answer.
    """
    loop = _OpenLoop(port, requests, is_right)
    rng = random.Random(seed)
    began = due = time.perf_counter()
    while due < began + seconds:
        loop.read(until=due)
        loop.send(due, due - began)
        due += rng.expovariate(rate)
    loop.read_the_rest()
    took = time.perf_counter() - began
    loop.close()
    return loop.outcomes, took


@dataclass(eq=False, slots=True)
class _Connection:
    socket: socket.socket
    data: bytearray = field(default_factory=bytearray)
    to_send: bytes = b""
    number: int = -1  # of the request that it waits for


class _OpenLoop:
    def __init__(self, port: int, requests: list[bytes], is_right: Callable[[int, int, bytes], bool]) -> None:
        self.outcomes: list[Outcome] = []
        self._port, self._requests, self._is_right = port, requests, is_right
        self._selector = selectors.DefaultSelector()
        self._idle: list[_Connection] = []
        self._busy: dict[_Connection, float] = {}

    def send(self, due: float, at: float) -> None:
        number = len(self.outcomes)
        self.outcomes.append(Outcome(at))
        connection = self._idle.pop() if self._idle else self._connect()
        if connection is None:
            return
        connection.number, connection.to_send = number, self._requests[number % len(self._requests)]
        self._busy[connection] = due
        self._on_writable(connection)

    def read(self, until: float) -> None:
        """Reads what comes until then, at least what is there."""
        while True:
            for key, events in self._selector.select(max(0.0, until - time.perf_counter())):
                if events & selectors.EVENT_WRITE:
                    self._on_writable(key.data)
                else:
                    self._on_readable(key.data)
            if time.perf_counter() >= until:
                return

    def read_the_rest(self) -> None:
        limit = time.perf_counter() + LAST_ANSWER_SECONDS
        while self._busy and time.perf_counter() < limit:
            self.read(time.perf_counter() + 0.01)

    def close(self) -> None:
        for connection in [*self._idle, *self._busy]:
            connection.socket.close()
        self._selector.close()

    def _connect(self) -> _Connection | None:
        if len(self._busy) >= CONNECTIONS:
            return None
        made = socket.socket()
        made.setblocking(False)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        made.connect_ex(("127.0.0.1", self._port))
        connection = _Connection(made)
        self._selector.register(made, selectors.EVENT_READ, connection)
        return connection

    def _on_writable(self, connection: _Connection) -> None:
        try:
            sent = connection.socket.send(connection.to_send)
        except BlockingIOError:
            sent = 0
        except OSError:
            if connection.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):  # else it is still connecting
                self._end(connection)
                return
            sent = 0
        connection.to_send = connection.to_send[sent:]
        events = selectors.EVENT_WRITE if connection.to_send else selectors.EVENT_READ
        if self._selector.get_key(connection.socket).events != events:
            self._selector.modify(connection.socket, events, connection)

    def _on_readable(self, connection: _Connection) -> None:
        try:
            part = connection.socket.recv(65536)
            connection.data += part
            found = _parse_answer(connection.data)
        except BlockingIOError:
            return
        except OSError:
            part, found = b"", None
        if not part or connection not in self._busy:  # closed by the server, between two requests or in one
            self._end(connection)
        elif found is not None:
            self._take(connection, *found)

    def _take(self, connection: _Connection, status: int, body: bytes, stays_open: bool) -> None:
        outcome = self.outcomes[connection.number]
        outcome.status, outcome.seconds = status, time.perf_counter() - self._busy.pop(connection)
        outcome.right = self._is_right(connection.number % len(self._requests), status, body)
        connection.data.clear()
        if stays_open:
            self._idle.append(connection)
        else:
            self._end(connection)

    def _end(self, connection: _Connection) -> None:
        self._selector.unregister(connection.socket)
        connection.socket.close()
        self._busy.pop(connection, None)
        if connection in self._idle:
            self._idle.remove(connection)
