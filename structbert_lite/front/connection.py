"""A connection whose request is read, and whose answer is written, without anybody waiting for the network."""

import socket
from typing import Any

from gunicorn.http import get_parser
from gunicorn.http.unreader import Unreader
from gunicorn.workers.gthread import TConn

from structbert_lite.front.gather import Gathering

FLUSH_BYTES = 256 << 10


class Given(Unreader):
    """What gunicorn's parser reads from: bytes that are there. It meets their end, never a wait."""

    def __init__(self) -> None:
        super().__init__()
        self._given = b""

    def give(self, data: bytes) -> None:
        self._given += data

    def chunk(self, size_hint: int | None = None) -> bytes:
        given, self._given = self._given, b""
        return given

    def take_rest(self) -> bytes:
        """What was not read: the beginning of the client's next request."""
        buffered: bytes = self.take_buffered()
        return buffered + self.chunk()


class Outbox:
    """A socket to write to without waiting: what the network does not take at once stays in `pending`."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self.pending = bytearray()

    def sendall(self, data: bytes) -> None:
        self.pending += data
        if len(self.pending) > FLUSH_BYTES:
            self.flush()

    def send(self, data: bytes) -> int:
        self.sendall(data)
        return len(data)

    def flush(self) -> bool:
        """Sends what the network takes; whether that was all. Raises OSError when the connection is gone."""
        while self.pending:
            try:
                sent = self._connection.send(self.pending)
            except (BlockingIOError, InterruptedError):
                return False
            del self.pending[:sent]
        return True

    def setblocking(self, flag: bool) -> None:
        """Gunicorn's threads ask for a blocking socket; this one never is."""

    def gettimeout(self) -> float:
        return 0.0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)


class Connection(TConn):
    """One client's connection.

    `asked`: the request on its way in; `path`, once it is whole; `held`: its bytes, also while a thread has them;
    `arrived`: when it was whole. `stays`: whether another request may follow. `due`: when patience with its client
    ends. `events`: what the loop looks out for. `swallowed`: bytes that came after the last answer.
    """

    initialized: bool  # gunicorn's own

    def __init__(self, cfg: Any, connection: socket.socket, client: Any, server: Any, max_body: int) -> None:
        super().__init__(cfg, Outbox(connection), client, server)
        connection.setblocking(False)
        self.data_ready = True  # no thread is to wait for some
        self.given = Given()
        self.due = self.began = self.arrived = 0.0
        self.held = self.swallowed = self.events = 0
        self.stays = False
        self.path = b""
        self._max_body = max_body
        self.asked = Gathering(max_body)

    def init(self) -> None:
        if not self.initialized:
            self.initialized = True
            self.parser = get_parser(self.cfg, self.sock, self.client)
            self.parser.unreader = self.given

    def hand_on(self) -> None:
        """Gives the whole request to the parser."""
        self.given.give(bytes(self.asked.data))
        self.asked.data.clear()

    def start_over(self) -> None:
        """Ready for the next request, of which some may have come already."""
        # What a thread has had is with its parser; a request that none has had is still here.
        rest = self.given.take_rest() or bytes(self.asked.data[self.asked.end or 0 :])
        self.asked = Gathering(self._max_body)
        if rest:
            self.asked.feed(rest)
