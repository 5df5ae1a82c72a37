"""A server in the place of a replica that does what a test wants, for what nginx does about it."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class StandIn(ThreadingHTTPServer):
    """`mood`: `answer`, `busy` (503), `cut` (no answer, the connection ends), `silent` (no answer for 30 seconds)."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.mood = "answer"
        self.asked: list[tuple[str, dict[str, str], bytes]] = []  # path, headers, body
        self.done = threading.Event()

    def handle_error(self, *_: object) -> None:
        """A connection that nginx gave up is no news."""

    @property
    def port(self) -> int:
        return self.server_address[1]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: StandIn

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.asked.append((self.path, dict(self.headers), body))
        if self.server.mood == "busy":
            self._answer(503, {"error": {"type": "overloaded", "message": "..."}}, {"Retry-After": "7"})
        elif self.server.mood == "answer":
            self._answer(200, {"port": self.server.port, "bytes": len(body)}, {})
        else:
            if self.server.mood == "silent":
                self.server.done.wait(30)
            self.close_connection = True

    do_GET = do_POST  # noqa: N815, http.server's name for it

    def log_message(self, *_: object) -> None:
        pass

    def _answer(self, status: int, content: dict, headers: dict[str, str]) -> None:
        data = json.dumps(content).encode()
        self.send_response(status)
        for name, value in ({"Content-Type": "application/json", "Content-Length": str(len(data))} | headers).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)


@contextmanager
def stand_in() -> Iterator[StandIn]:
    server = StandIn()
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield server
    finally:
        server.done.set()
        server.shutdown()
        server.server_close()
        thread.join()
