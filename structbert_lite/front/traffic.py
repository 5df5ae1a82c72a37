"""The network side of the worker's loop: requests come in, answers go out, and whoever is too slow is cut off."""

import contextlib
import socket
from collections.abc import Callable
from functools import partial
from selectors import EVENT_READ, EVENT_WRITE, BaseSelector

from structbert_lite.front.answers import Headers, write_answer
from structbert_lite.front.connection import Connection
from structbert_lite.front.patience import Patience

READ_BYTES = 64 << 10
BEGINNING = 4096  # bytes of a body, by which it may be told whose client sent it
GO_ON = b"HTTP/1.1 100 Continue\r\n\r\n"


class Traffic:
    """Calls `on_request` with each connection whose request is ready and `on_close` for each that is closed.

    `make_refusal` gives body and headers of an error that is answered here: of the request's head, of the beginning of
    its body, of the status, the error's type and its message. `later` calls a function in one of the loop's next turns.
    All of this runs in the loop's one thread.
    """

    def __init__(
        self,
        poller: BaseSelector,
        patience: Patience,
        on_request: Callable[[Connection], None],
        on_close: Callable[[], None],
        make_refusal: Callable[[bytes, bytes, int, str, str], tuple[bytes, Headers]],
        later: Callable[..., None],
    ) -> None:
        self.patience = patience
        self._poller = poller
        self._on_request, self._on_close, self._later = on_request, on_close, later
        self._make_refusal = make_refusal

    def open(self, connection: Connection) -> None:
        """Takes in a new connection; a request may have come with it."""
        self.patience.idles(connection)
        self._receive(connection)

    def put_aside(self, connection: Connection) -> None:
        """Its request waits for a thread, and is looked at no more until it is answered."""
        self._listen(connection, 0)
        self.patience.forget(connection)

    def answer(self, connection: Connection, stays: bool, answer: bytes = b"") -> None:
        """Sends the answer; then the client's next request, where it `stays`, or the end."""
        connection.stays = stays
        connection.sock.sendall(answer)
        self._send(connection)

    def refuse(
        self, connection: Connection, status: int, kind: str, message: str, retry_after: int = 0, stays: bool = False
    ) -> None:
        """Answers with an error in the application's stead."""
        asked = connection.asked
        start = len(asked.head)
        begun = bytes(asked.data[start : start + BEGINNING])
        body, headers = self._make_refusal(asked.head, begun, status, kind, message)
        self.answer(connection, stays, write_answer(status, asked.head, body, headers, retry_after, stays))

    def drop(self, connection: Connection) -> None:
        """Closes it at once."""
        self._listen(connection, 0)
        self.patience.forget(connection)
        self.patience.hold(connection, 0)
        connection.close()
        self._on_close()

    def make_room(self) -> bool:
        """Closes the connection that is needed least; whether there was one outside the threads' hands."""
        least = self.patience.longest()
        if least is not None:
            self.drop(least)
        return least is not None

    def cut_the_slow(self) -> None:
        for connection in self.patience.overdue():
            if connection in self.patience.asking:
                self.refuse(connection, 408, "request_timeout", "the request took too long to come")
            else:
                self.drop(connection)

    def close_all(self) -> None:
        """Of those that no thread has."""
        for connection in list(self.patience.all()):
            self.drop(connection)

    def _on_event(self, connection: Connection, _: object) -> None:
        if connection in self.patience.fetching:
            self._send(connection)
        elif connection in self.patience.closing:
            self._swallow(connection)
        else:
            self._receive(connection)

    def _receive(self, connection: Connection) -> None:
        try:
            part = connection.sock.recv(READ_BYTES)
        except (BlockingIOError, InterruptedError):
            self._listen(connection, EVENT_READ)
            return
        except OSError:
            part = b""
        if not part:
            self.drop(connection)
            return
        connection.asked.feed(part)
        self._go_on(connection)

    def _go_on(self, connection: Connection) -> None:
        """Some of a request is there."""
        asked = connection.asked
        self.patience.hold(connection, len(asked.data))
        if asked.ready:
            self._on_request(connection)
            return
        self._listen(connection, EVENT_READ)
        self.patience.goes_on(connection)
        if asked.awaits_go:
            asked.awaits_go = False
            connection.sock.sendall(GO_ON)
            with contextlib.suppress(OSError):  # a client that has gone is seen when it is read from
                connection.sock.flush()
        if self.patience.is_full and (greedy := self.patience.greediest()):
            self.refuse(greedy, 503, "overloaded", "too much is being sent at once, try again later", retry_after=1)

    def _send(self, connection: Connection) -> None:
        try:
            sent = connection.sock.flush()
        except OSError:
            self.drop(connection)
            return
        if not sent:
            if connection not in self.patience.fetching:
                self.patience.fetches(connection)
            self._listen(connection, EVENT_WRITE)
        elif connection.stays:
            self._start_over(connection)
        else:
            self._end(connection)

    def _start_over(self, connection: Connection) -> None:
        connection.start_over()
        self.patience.hold(connection, len(connection.asked.data))
        self.patience.idles(connection)
        self._listen(connection, EVENT_READ)
        if connection.asked.data:  # its client does not wait for answers; no recursion, it may have sent thousands
            self._listen(connection, 0)
            self._later(self._resume, connection)

    def _resume(self, connection: Connection) -> None:
        if connection in self.patience.idle:  # it may have been closed meanwhile
            self._go_on(connection)

    def _end(self, connection: Connection) -> None:
        """Closes when the client has read the answer: data that nobody reads would make the kernel take it back."""
        self.patience.hold(connection, 0)
        self.patience.closes(connection)
        self._listen(connection, EVENT_READ)
        try:
            connection.sock.shutdown(socket.SHUT_WR)
        except OSError:
            self.drop(connection)

    def _swallow(self, connection: Connection) -> None:
        try:
            part = connection.sock.recv(READ_BYTES)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            part = b""
        connection.swallowed += len(part)
        if not part or connection.swallowed > self.patience.most_swallowed:
            self.drop(connection)

    def _listen(self, connection: Connection, events: int) -> None:
        if events == connection.events:
            return
        if not events:
            self._poller.unregister(connection.sock)
        elif connection.events:
            self._poller.modify(connection.sock, events, partial(self._on_event, connection))
        else:
            self._poller.register(connection.sock, events, partial(self._on_event, connection))
        connection.events = events
