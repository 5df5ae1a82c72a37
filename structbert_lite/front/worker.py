"""gunicorn's worker with threads, but a thread gets whole requests only and never waits for a client.

gunicorn's own reads requests in its threads without a time-out: as many slow clients as threads stop it.
"""

import errno
import resource
import socket
import sys
import threading
import time
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from gunicorn import util
from gunicorn.workers.gthread import ThreadWorker

from structbert_lite.front.answers import wants_close, why_unreadable, write_answer
from structbert_lite.front.body import Body
from structbert_lite.front.connection import Connection
from structbert_lite.front.patience import Patience
from structbert_lite.front.traffic import Traffic

ACCEPTS = 16  # new connections in one turn of the loop
RESERVED_FILES = 128  # descriptors that are no connections
# Probes and scrapers have threads of their own: they must be answered when all others are busy.
PROBES = {b"/livez", b"/readyz", b"/health", b"/metrics"}
PROBE_THREADS = 4
LOOK_SECONDS = 0.02  # while requests wait for a thread
# The loop takes the interpreter's lock back three times for each request, and a thread that computes keeps it so long.
SWITCH_SECONDS = 0.001
TOO_MANY_FILES = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}
NOT_NOW = {errno.EAGAIN, errno.EWOULDBLOCK, errno.ECONNABORTED, errno.EINTR}


class FrontWorker(ThreadWorker):
    """Its loop reads the requests and sends the answers. As many requests wait for a thread as there are threads.

    The application's `extensions["structbert_door"]` may refuse a request before a thread has it (door.py), and its
    `extensions["structbert_refusals"]` says what the loop answers by itself (web/refusals.py).
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        self._most_connections = max(16, min(self.cfg.worker_connections, files - RESERVED_FILES))
        # The loop always accepts and closes another connection for it: who waits in the kernel's queue is seen by none.
        self.worker_connections = self.max_keepalived = sys.maxsize
        self._waiting: deque[Connection] = deque()  # for a thread
        self._in_hand = 0  # of threads, probes aside
        self._current = threading.local()

    def init_process(self) -> None:
        sys.setswitchinterval(SWITCH_SECONDS)
        self._probe_pool = ThreadPoolExecutor(PROBE_THREADS, "probe")
        super().init_process()

    def load_wsgi(self) -> None:
        super().load_wsgi()
        self._max_body = self.wsgi.config["MAX_CONTENT_LENGTH"]
        self._door = self.wsgi.extensions["structbert_door"]
        self._refusals = self.wsgi.extensions["structbert_refusals"]
        self._door.on_arrival = lambda: self._waiting and self.method_queue.defer(self._hand_out)
        patience = Patience(self.cfg.keepalive, self._max_body)
        self._traffic = Traffic(
            self.poller, patience, self.enqueue_req, self._count_down, self._refusals.answer, self.method_queue.defer
        )
        application = self.wsgi.wsgi_app

        def stamped(environ: dict[str, Any], start_response: Any) -> Any:
            environ["structbert.arrived"] = self._current.connection.arrived
            environ["wsgi.input"] = Body(environ["wsgi.input"])
            return application(environ, start_response)

        self.wsgi.wsgi_app = stamped

    def wait_for_and_dispatch_events(self, timeout: float) -> None:
        super().wait_for_and_dispatch_events(min(timeout, LOOK_SECONDS) if self._waiting else timeout)
        self._hand_out()

    def accept(self, listener: socket.socket) -> None:
        for _ in range(ACCEPTS):
            try:
                client, address = listener.accept()
            except OSError as error:
                if error.errno in TOO_MANY_FILES:
                    self._traffic.make_room()
                    time.sleep(0.01)  # the listener stays readable: no racing
                elif error.errno not in NOT_NOW:
                    raise
                return
            if self.nr_conns >= self._most_connections and not self._traffic.make_room():
                client.close()
                continue
            self.nr_conns += 1
            self._traffic.open(Connection(self.cfg, client, address, listener.getsockname(), self._max_body))

    def enqueue_req(self, conn: Connection) -> None:
        """Gives the request to a thread, lets it wait for one, or refuses it."""
        target = conn.asked.head.partition(b"\r\n")[0].split(b" ")[1:2]
        conn.path = target[0].partition(b"?")[0] if target else b""
        conn.arrived = time.monotonic()
        if conn.path in PROBES:
            self._traffic.put_aside(conn)
            self._hand_on(conn, self._probe_pool)
        elif seconds := self._refuses(conn.path):
            self._refuse(conn, seconds)
        else:
            self._traffic.put_aside(conn)
            self._waiting.append(conn)
            self._hand_out()

    def handle(self, conn: Connection) -> bool:
        self._current.connection = conn
        self._door.begin()
        try:
            stays = super().handle(conn)
        finally:
            self._door.end()
        try:
            conn.sock.flush()
        except OSError:
            return False
        return stays is True

    def handle_request(self, req: Any, conn: Connection) -> bool:
        req._expected_100_continue = False  # the loop has answered that
        if conn.asked.cut:
            req.force_close()
            # The application reads nothing of a body that says by itself how large it is.
            req.headers = [field for field in req.headers if field[0] not in {"TRANSFER-ENCODING", "CONTENT-LENGTH"}]
            req.headers.append(("CONTENT-LENGTH", str(conn.asked.body_bytes)))
        stays: bool = super().handle_request(req, conn)
        return stays

    def handle_error(self, req: Any, client: Any, addr: Any, exc: BaseException) -> None:
        # gunicorn's own answer is HTML that repeats what it could not read.
        util.write_error = self._write_error
        super().handle_error(req, client, addr, exc)

    def finish_request(self, conn: Connection, fs: Future[bool]) -> None:
        self._in_hand -= conn.path not in PROBES
        self._traffic.answer(conn, not fs.cancelled() and fs.exception() is None and fs.result())

    def murder_pending(self) -> None:
        self._traffic.cut_the_slow()

    def murder_keepalived(self, force: bool = False) -> None:
        if force:
            self._traffic.close_all()

    def _cap_keepalive(self, deadline: float) -> None:
        self._traffic.patience.hurry(deadline)

    def _hand_out(self) -> None:
        """Gives what has waited longest to threads that have nothing to do; the queue may be too long for it by now."""
        while self._waiting and self._in_hand < self.cfg.threads and self._door.has_room:
            conn = self._waiting.popleft()
            if seconds := self._door.refuses(conn.path):
                self._refuse(conn, seconds)
            else:
                self._in_hand += 1
                self._hand_on(conn, self.tpool)

    def _hand_on(self, conn: Connection, pool: ThreadPoolExecutor) -> None:
        self._door.let_in()
        conn.hand_on()
        pool.submit(self.handle, conn).add_done_callback(
            lambda future: self.method_queue.defer(self.finish_request, conn, future)
        )

    def _refuses(self, path: bytes) -> int:
        """Seconds after which the client of a request that comes now may try again; 0: the request is let in."""
        if self._in_hand + len(self._waiting) >= 2 * self.cfg.threads or self._traffic.patience.is_full:
            self._door.turn_away(path)
            return 1
        seconds: int = self._door.refuses(path, len(self._waiting))
        return seconds

    def _refuse(self, conn: Connection, seconds: int) -> None:
        asked = conn.asked
        stays = asked.end is not None and not asked.cut and not wants_close(asked.head) and self.alive
        self._traffic.refuse(conn, 503, "overloaded", "the server is busy, try again later", seconds, stays)

    def _write_error(self, sock: Any, status: int, reason: str, message: str) -> None:
        body, headers = self._refusals.answer(b"", b"", status, *why_unreadable(status))
        sock.sendall(write_answer(status, b"", body, headers, 0, stays=False))

    def _count_down(self) -> None:
        self.nr_conns -= 1
