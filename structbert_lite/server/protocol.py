"""gunicorn's ASGI protocol with what it lacks: the only file that knows its insides.

It adds a time-out of a request's head, a cap on connections, a lingering close, pipelining without a limit, checked
trailers, `Expect`, and errors in our own form. tests/server/test_protocol.py names every attribute that is used here.
"""

import contextlib
import re
import resource
import time
from collections.abc import Iterable
from email.utils import formatdate
from functools import lru_cache
from http import HTTPStatus
from typing import Any

from gunicorn.asgi.parser import ParseError
from gunicorn.asgi.protocol import ASGIProtocol

from structbert_lite.server.connections import LINGER_SECONDS, ConnectionTable, transfer_seconds

RESERVED_FILES = 128  # descriptors that are no connections
# The C parser keeps 64 KiB behind a whole request and drops the rest, so it is given little at once.
PIECE = 16 << 10
MOST_AHEAD = 256 << 10  # bytes of further requests that are held before reading pauses
MOST_DIGITS = 4300  # that Python makes a number of
CLIENT_CLOSED = 499  # nginx's; only a client that has closed but its sending half reads it
CLOSE = (b"connection", b"close")  # a header by which the application ends the connection after its answer
# The end of a chunked body: the last chunk and its trailer section, of which both parsers only look for the end.
TRAILER_BYTES = 64 << 10
TRAILERS = re.compile(
    rb"\r\n0+[ \t]*(?:;[^\r\n]*)?\r\n(?:[!#$%&'*+.^_`|~0-9A-Za-z-]+:[^\x00-\x08\x0a-\x1f\x7f]*\r\n)*\r\n\Z"
)

Headers = Iterable[tuple[bytes, bytes]]


def most_connections(wanted: int) -> int:
    """`wanted`, as far as the process may have so many files."""
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return max(16, min(wanted, files - RESERVED_FILES))


class Connection(ASGIProtocol):
    """One client's connection.

    Its worker has a `table` of them, the number `most_connections`, `refusals` and `stopping`, which is true when no
    connection is to outlast its answer. `worker.alive` stays true all the while: gunicorn would break off answers.
    """

    worker: Any
    transport: Any
    _closed: bool  # the last answer is written, or the connection is lost

    def __init__(self, worker: Any) -> None:
        super().__init__(worker)
        self._table: ConnectionTable = worker.table
        self._ahead = bytearray()  # what came behind a whole request
        self._trailer = b""  # the last bytes of a chunked body
        self._discarded = 0  # bytes that came after the last answer
        self._left = self._last = self._holds_back = False

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        if self.worker.nr_conns > self.worker.most_connections and not self._table.evict():
            transport.abort()
            return
        self._table.put_idle(self)

    def data_received(self, data: bytes) -> None:
        if self._closed:
            self._discarded += len(data)
            if self._discarded > self.worker.most_discarded:
                self.transport.abort()
            return
        self._ahead += data
        self._feed_ahead()
        if len(self._ahead) > MOST_AHEAD:
            self._holds_back = True
            self._pause_reading()

    def eof_received(self) -> bool:
        """The client sends no more. Answers to what it has sent are still written, no work is done for it."""
        self._left = True
        receiver = self._body_receiver
        return not self._closed and receiver is not None and receiver._complete

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._ahead.clear()
        self._table.remove(self)
        self._flow_control.resume_writing()  # whoever waits to write would wait for ever
        self._request_ready.set()  # and its task for three seconds

    def pause_writing(self) -> None:
        super().pause_writing()
        if not self._closed:
            self._table.put(self, self._table.writing, transfer_seconds(self.transport.get_write_buffer_size()))

    def resume_writing(self) -> None:
        super().resume_writing()
        if self in self._table.writing:
            self._table.remove(self)

    def expire(self) -> None:
        if self in self._table.reading:
            self._refuse(HTTPStatus.REQUEST_TIMEOUT)
        else:
            self.drop()

    def drop(self) -> None:
        self.transport.abort()

    def has_left(self) -> bool:
        """Whether the client has closed the connection, or its sending half. Any thread may ask."""
        return self._left or self._closed

    def _feed_ahead(self) -> None:
        """Gives the parser what has come, up to the end of a request."""
        while self._ahead and not self._closed and not self._callback_parser.is_complete:
            piece = bytes(self._ahead[:PIECE])
            del self._ahead[:PIECE]
            super().data_received(piece)
        if self._holds_back and len(self._ahead) <= MOST_AHEAD:
            self._holds_back = False
            self._resume_reading()

    def _resume_reading(self) -> None:
        # gunicorn's own asks for more after each answer, whatever has come ahead.
        if not self._holds_back:
            super()._resume_reading()

    def _feed_callback_parser(self, data: bytes) -> bool:
        try:
            is_fine: bool = super()._feed_callback_parser(data)
        except ValueError:  # a length of more digits than Python reads
            return self._refuse(HTTPStatus.BAD_REQUEST)
        if not is_fine:
            return False
        request, parser = self._current_request, self._callback_parser
        if request is None:
            if self not in self._table.reading:
                self._table.put_reading(self)
        elif request.chunked:
            self._trailer = (self._trailer + data)[-TRAILER_BYTES:]
            if parser.is_complete:
                end = len(self._trailer) - len(parser.remaining())
                if not TRAILERS.search(self._trailer[:end]):
                    return self._refuse(HTTPStatus.BAD_REQUEST)
        return True

    def _on_headers_complete(self) -> bool:
        self._trailer = b""
        skip_body: bool = super()._on_headers_complete()
        if status := self._fault_of_head():
            self._refuse(status)
            raise ParseError(status.phrase)
        return skip_body

    def _fault_of_head(self) -> HTTPStatus | None:
        has_host = self._current_request.version < (1, 1)
        for name, value in self._current_request.headers_bytes:
            if name == b"expect" and value.lower() != b"100-continue":
                return HTTPStatus.EXPECTATION_FAILED
            # gunicorn lets gzip and the like pass without undoing them.
            if name == b"transfer-encoding" and value.strip().lower() != b"chunked":
                return HTTPStatus.NOT_IMPLEMENTED
            if name == b"content-length" and len(value) > MOST_DIGITS:  # the parser in C reads any
                return HTTPStatus.BAD_REQUEST
            has_host = has_host or name == b"host"
        return None if has_host else HTTPStatus.BAD_REQUEST  # RFC 9112, 3.2

    def _refuse(self, status: HTTPStatus) -> bool:
        """False: nothing more is read."""
        self._send_error_response(status, "")
        self._close_transport()
        return False

    @classmethod
    def _check_h1c_protocol_available(cls) -> bool:
        # gunicorn notes what it has found on the class that asks, and then reads it from its own: without this a
        # subclass never gets the parser in C.
        is_there: bool = ASGIProtocol._check_h1c_protocol_available()
        return is_there

    def _arm_keepalive_timer(self) -> None:
        """Called where the connection waits for its next request; gunicorn's own timer is not used."""
        self._feed_ahead()
        if self._request_ready.is_set():
            return
        if self._left:
            self._close_transport()
        elif self not in self._table.reading:
            self._table.put_idle(self)

    def _cancel_keepalive_timer(self) -> None:
        """Called where the head of a request is there."""
        self._table.remove(self)
        if self._ahead:
            self._feed_ahead()

    def _is_websocket_upgrade(self, request: Any) -> bool:
        return False

    def _build_http_scope(self, request: Any, sockname: Any, peername: Any) -> dict[str, Any]:
        scope: dict[str, Any] = super()._build_http_scope(request, sockname, peername)
        scope["structbert.has_left"] = self.has_left
        scope["structbert.is_whole"] = self._body_receiver._complete  # `receive` will wait for nothing
        return scope

    async def _serve_http_request(self, request: Any, sockname: Any, peername: Any) -> bool:
        # gunicorn's own makes a second task, for applications that work on after their answer, and looks at each header
        # of it for how its length is to be told: ours has one, or no body.
        self._last, is_begun = True, False

        async def send(message: dict[str, Any]) -> None:
            nonlocal is_begun
            if self._closed:
                return
            if message["type"] == "http.response.start":
                is_begun = True
                close = self._will_close(request, False)
                self._send_response_start(message["status"], message["headers"], request, close)
            else:
                self._send_body(message["body"])
                if self._flow_control.write_paused:
                    await self._flow_control.drain()

        try:
            await self.app(self._build_http_scope(request, sockname, peername), self._body_receiver.receive, send)
        except Exception:
            self.log.exception("Error in ASGI application")
            if not is_begun:
                self._send_error_response(HTTPStatus.INTERNAL_SERVER_ERROR, "")
            return False
        return not self._last

    def _send_response_start(self, status: int, headers: Headers, request: Any, close: bool = False) -> None:
        is_read = self._body_receiver is not None and self._body_receiver._complete
        self._last = close or self.worker.stopping or not is_read or CLOSE in headers
        self._response_buffer = write_head(request.version, status, headers, not self._last)

    def _send_error_response(self, status: int, message: str, extra_headers: Headers = ()) -> None:
        if self._closed or self.transport.is_closing():
            return
        if status == HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE and self._current_request is not None:
            status = HTTPStatus.BAD_REQUEST  # of trailer fields
        headers, body = self.worker.refusals.unreadable(status)
        self._safe_write(write_head((1, 1), status, headers, stays=False) + body)

    def _close_transport(self) -> None:
        """Lingering close: data that nobody reads would make the kernel take the last answer back."""
        if self._closed:
            return
        self._closed = True
        self._request_ready.set()
        self._ahead.clear()
        self._holds_back = False
        if self._body_receiver is not None:
            self._body_receiver.signal_disconnect()
        if self.transport.is_closing():
            return
        pending = self.transport.get_write_buffer_size()
        self._table.put(self, self._table.closing, LINGER_SECONDS + (transfer_seconds(pending) if pending else 0))
        if self._left:
            self.transport.close()
            return
        self._resume_reading()
        with contextlib.suppress(OSError, RuntimeError):  # the client has gone, which the loop will notice
            self.transport.write_eof()


def write_head(version: tuple[int, int], status: int, headers: Headers, stays: bool) -> bytes:
    """The head of an answer: without gunicorn's name, and always with what becomes of the connection."""
    lines = [_start(version, status, int(time.time()), stays)]
    lines += [b"%b: %b\r\n" % field for field in headers if field != CLOSE]
    return b"".join([*lines, b"\r\n"])


@lru_cache(maxsize=64)
def _start(version: tuple[int, int], status: int, second: int, stays: bool) -> bytes:
    connection = "keep-alive" if stays else "close"
    phrase = "Client Closed Request" if status == CLIENT_CLOSED else HTTPStatus(status).phrase
    date = formatdate(second, usegmt=True)
    line = f"HTTP/{version[0]}.{version[1]} {status} {phrase}\r\n"
    return f"{line}Date: {date}\r\nConnection: {connection}\r\n".encode()
