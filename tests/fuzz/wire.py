"""Bytes to a server and its answers back, with nothing in between that would refuse to send them."""

import http.client
import io
import socket
import time
from collections.abc import Iterable
from dataclasses import dataclass

TIMEOUT = 60.0


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer as it came. Header names are in lower case; the last of several with one name is kept."""

    status: int
    headers: dict[str, str]
    body: bytes


class _Stream(io.BytesIO):
    """What http.client reads answers from, one after the other: it closes its file behind each."""

    def makefile(self, *_: object) -> "_Stream":
        return self

    def close(self) -> None:
        pass


def exchange(port: int, data: bytes) -> bytes:
    """What a server answers to one request that asks it to close the connection. Raises TimeoutError."""
    with socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT) as connection:
        received = bytearray()
        try:
            connection.sendall(data)
            while part := connection.recv(1 << 16):
                received += part
        except ConnectionError:  # a server that has answered does not have to read the rest
            pass
    return bytes(received)


def exchange_many(port: int, requests: Iterable[list[bytes]], patience: float) -> list[tuple[bytes, bool]]:
    """The same for several connections at once; each sends its pieces one by one. Nobody waits beyond `patience`.

    Of each: what came, and whether the server closed it.
    """
    connections = []
    for pieces in requests:
        connection = socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            for piece in pieces:
                connection.sendall(piece)
        except ConnectionError:
            pass
        connections.append(connection)
    limit = time.monotonic() + patience
    answers = []
    for connection in connections:
        received, closed = bytearray(), False
        try:
            while not closed:
                connection.settimeout(max(0.01, limit - time.monotonic()))
                part = connection.recv(1 << 16)
                received += part
                closed = not part
        except TimeoutError:
            pass
        except ConnectionError:
            closed = True
        connection.close()
        answers.append((bytes(received), closed))
    return answers


def read_answers(data: bytes, methods: Iterable[str], whole: bool = True) -> list[Answer]:
    """The answers in `data`, to requests of `methods` in that order; the last may be cut off where it is not `whole`.

    Raises ValueError for what is no HTTP.
    """
    stream, answers = _Stream(data), []
    for method in methods:
        if stream.tell() == len(data):
            break
        response = http.client.HTTPResponse(stream, method=method)
        try:
            response.begin()
            body = response.read()
        except (http.client.HTTPException, ValueError) as error:
            if not whole and stream.tell() == len(data):
                break
            raise ValueError(f"no HTTP: {type(error).__name__} in {data[:300]!r}") from error
        answers.append(Answer(response.status, {name.lower(): value for name, value in response.getheaders()}, body))
    return answers
