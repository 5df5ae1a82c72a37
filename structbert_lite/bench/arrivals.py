"""Requests that come when they come, answered or not: an open loop, as the world is.

Clients that wait for their answer before they ask again slow down with the server and never overload it. One thread and
no client library: the machine is to be busy with the server.
"""

import random
import selectors
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field

CONNECTIONS = 900  # at the most; a request that finds none free counts as not answered
ANSWER_SECONDS = 30.0


@dataclass(slots=True)
class Outcome:
    """What became of one request, to be sent at `at` seconds. `status` 0: no answer. `seconds`: from then on."""

    at: float
    status: int = 0
    seconds: float = 0.0
    right: bool = False


@dataclass(eq=False, slots=True)
class _Client:
    connection: socket.socket
    data: bytearray = field(default_factory=bytearray)
    to_send: bytes = b""
    number: int = -1  # of the request that it waits for


def run_arrivals(
    port: int,
    requests: list[bytes],
    rate: float,
    seconds: float,
    is_right: Callable[[int, int, bytes], bool],
    seed: int,
) -> tuple[list[Outcome], float]:
    """Sends `requests`, in turn and again, to `port` on loopback, `rate` a second at random instants, for `seconds`.

    `is_right(i, status, body)` judges the answer to `requests[i]`. Returns what became of each request in the order
    of sending, and the seconds from the first instant to the last answer.
    """
    crowd = _Crowd(port, requests, is_right)
    rng = random.Random(seed)
    began = due = time.perf_counter()
    while due < began + seconds:
        crowd.look(until=due)
        crowd.send(due, due - began)
        due += rng.expovariate(rate)
    crowd.look_until_all_is_answered()
    took = time.perf_counter() - began
    crowd.close()
    return crowd.outcomes, took


class _Crowd:
    def __init__(self, port: int, requests: list[bytes], is_right: Callable[[int, int, bytes], bool]) -> None:
        self.outcomes: list[Outcome] = []
        self._port, self._requests, self._is_right = port, requests, is_right
        self._selector = selectors.DefaultSelector()
        self._idle: list[_Client] = []
        self._busy: dict[_Client, float] = {}

    def send(self, due: float, at: float) -> None:
        number = len(self.outcomes)
        self.outcomes.append(Outcome(at))
        client = self._idle.pop() if self._idle else self._connect()
        if client is None:
            return
        client.number, client.to_send = number, self._requests[number % len(self._requests)]
        self._busy[client] = due
        self._go_on(client)

    def look(self, until: float) -> None:
        """Reads what comes until then, at least what is there."""
        while True:
            patience = until - time.perf_counter()
            for key, events in self._selector.select(max(0.0, patience)):
                if events & selectors.EVENT_WRITE:
                    self._go_on(key.data)
                else:
                    self._read(key.data)
            if time.perf_counter() >= until:
                return

    def look_until_all_is_answered(self) -> None:
        limit = time.perf_counter() + ANSWER_SECONDS
        while self._busy and time.perf_counter() < limit:
            self.look(time.perf_counter() + 0.01)

    def close(self) -> None:
        for client in [*self._idle, *self._busy]:
            client.connection.close()
        self._selector.close()

    def _connect(self) -> _Client | None:
        if len(self._busy) >= CONNECTIONS:
            return None
        connection = socket.socket()
        connection.setblocking(False)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.connect_ex(("127.0.0.1", self._port))
        client = _Client(connection)
        self._selector.register(connection, selectors.EVENT_READ, client)
        return client

    def _go_on(self, client: _Client) -> None:
        try:
            sent = client.connection.send(client.to_send)
        except (BlockingIOError, OSError) as error:
            if not isinstance(error, BlockingIOError) and not _connects(client.connection):
                self._end(client)
                return
            sent = 0
        client.to_send = client.to_send[sent:]
        events = selectors.EVENT_WRITE if client.to_send else selectors.EVENT_READ
        if self._selector.get_key(client.connection).events != events:
            self._selector.modify(client.connection, events, client)

    def _read(self, client: _Client) -> None:
        try:
            part = client.connection.recv(65536)
        except BlockingIOError:
            return
        except OSError:
            part = b""
        client.data += part
        head_ends = client.data.find(b"\r\n\r\n")
        if not part or client not in self._busy:  # closed by the server, between two requests or in one
            self._end(client)
        elif head_ends >= 0:
            head = bytes(client.data[:head_ends]).lower()
            length = int(head.partition(b"content-length:")[2].partition(b"\r\n")[0])
            if len(client.data) >= head_ends + 4 + length:
                self._take(client, int(head[9:12]), bytes(client.data[head_ends + 4 :]), b"connection: close" in head)

    def _take(self, client: _Client, status: int, body: bytes, closes: bool) -> None:
        outcome = self.outcomes[client.number]
        outcome.status, outcome.seconds = status, time.perf_counter() - self._busy.pop(client)
        outcome.right = self._is_right(client.number % len(self._requests), status, body)
        client.data.clear()
        if closes:
            self._end(client)
        else:
            self._idle.append(client)

    def _end(self, client: _Client) -> None:
        self._selector.unregister(client.connection)
        client.connection.close()
        self._busy.pop(client, None)
        if client in self._idle:
            self._idle.remove(client)


def _connects(connection: socket.socket) -> bool:
    """Whether the connection is still being made."""
    return connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0
