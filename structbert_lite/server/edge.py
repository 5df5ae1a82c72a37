"""The ASGI application between gunicorn's protocol and Flask.

It reads a whole request under a time budget, refuses it or gives it to a thread, and writes the answer. A thread never
waits for a client, and probes never wait for a thread.
"""

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Awaitable, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from typing import Any

from structbert_lite.errors import ClientDisconnected, Overloaded
from structbert_lite.inference.admission import AdmissionController, Ticket
from structbert_lite.paths import TASKS
from structbert_lite.server.connections import transfer_seconds
from structbert_lite.server.protocol import CLIENT_CLOSED, CLOSE
from structbert_lite.server.wsgi import Answer, Request, call, read_request

# Names among the application's extensions.
ENGINE, REFUSALS, FAST = "structbert_engine", "structbert_refusals", "structbert_fast"
# Probes and scrapers have threads of their own: they must be answered when all others are busy.
PROBES = {"/livez", "/readyz", "/health", "/metrics"}
PROBE_THREADS = 4
LOOK_SECONDS = 0.02  # while requests wait for a thread
# What is kept of requests in all: beyond it, the one under way that holds most is cut off.
HELD_BODIES, LEAST_HELD = 8, 64 << 20

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


class Refused(Exception):
    """The request is answered with an error of our type `name`, without the application."""

    def __init__(self, status: int, name: str, message: str, retry_after: int = 0) -> None:
        super().__init__(message)
        self.status, self.name, self.retry_after = status, name, retry_after


class Body:
    """A body on its way. `limit` is moved as it comes; `is_cut`: it was the largest when there was no more memory."""

    def __init__(self) -> None:
        self.data = bytearray()
        self.limit: asyncio.Timeout
        self.is_cut = False


@dataclass(slots=True)
class Job:
    """A request that was admitted, and the place in the loop where its answer is waited for."""

    request: Request
    fast: Any  # the same for a fast route; None: it is for Flask
    ticket: Ticket
    turn: asyncio.Future[Answer]


class Edge:
    """Of one process, in its event loop. As many requests wait for a thread as there are `threads`."""

    def __init__(self, app: Any, threads: int, loop: asyncio.AbstractEventLoop) -> None:
        self._app, self._loop = app, loop
        self._threads = threads
        self._most_body: int = app.config["MAX_CONTENT_LENGTH"]
        self._most_held = max(LEAST_HELD, HELD_BODIES * self._most_body)
        self._engine = app.extensions[ENGINE]
        self._admission: AdmissionController = self._engine.admission
        self._admission.on_room = lambda: self._waiting and loop.call_soon_threadsafe(self._hand_out)
        self._refusals = app.extensions[REFUSALS]
        self._fast = app.extensions.get(FAST)
        self._pool = ThreadPoolExecutor(threads, "request")
        self._probe_pool = ThreadPoolExecutor(PROBE_THREADS, "probe")
        self._waiting: deque[Job] = deque()
        self._running = 0
        self._bodies: set[Body] = set()
        self._held = 0  # bytes of all bodies, also of those that threads have
        self._look: asyncio.TimerHandle | None = None

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        request = read_request(scope)
        try:
            await self._read_body(request, receive)
            if request.path in PROBES:
                answer = await self._loop.run_in_executor(self._probe_pool, call, self._app, request)
            else:
                answer = await self._answer(request)
        except Refused as refusal:
            await self._refuse(request, refusal, send)
        except ClientDisconnected as error:  # only who has closed no more than a half reads it
            await self._refuse(request, Refused(CLIENT_CLOSED, "client_left", str(error)), send)
        else:
            status, headers, body = answer
            fields = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
            if request.announced:
                fields.append(CLOSE)
            await _send(send, status, fields, b"" if request.method == "HEAD" else body)
        finally:
            self._held -= len(request.body)

    def close(self) -> None:
        """Threads end with what they are doing."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        self._probe_pool.shutdown(wait=False, cancel_futures=True)

    async def _read_body(self, request: Request, receive: Receive) -> None:
        """Raises Refused where it takes too long or too much, ClientDisconnected where its end never comes."""
        length = next((int(value) for name, value in request.headers if name == b"content-length"), 0)
        request.announced = length if length > self._most_body else 0
        if request.announced:
            return
        body, began = Body(), self._loop.time()
        try:
            if request.scope.get("structbert.is_whole"):  # nothing is waited for
                await self._receive_all(body, began, receive)
            else:
                self._bodies.add(body)
                async with asyncio.timeout_at(began + transfer_seconds(0)) as body.limit:
                    await self._receive_all(body, began, receive)
        except TimeoutError:
            if body.is_cut:
                raise Refused(
                    HTTPStatus.SERVICE_UNAVAILABLE, "overloaded", "too much is being sent at once, try again later", 1
                ) from None
            raise Refused(HTTPStatus.REQUEST_TIMEOUT, "request_timeout", "the request took too long to come") from None
        finally:
            self._bodies.discard(body)
            request.body = bytes(body.data)
            if len(request.body) > self._most_body:
                request.announced = len(request.body)
        request.arrived = time.monotonic()

    async def _receive_all(self, body: Body, began: float, receive: Receive) -> None:
        more = True
        while more and len(body.data) <= self._most_body:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise ClientDisconnected("the client hung up")
            body.data += message["body"]
            self._held += len(message["body"])
            more = message["more_body"]
            if more and body in self._bodies:
                body.limit.reschedule(began + transfer_seconds(len(body.data)))
                if self._held > self._most_held:
                    greediest = max(self._bodies, key=lambda other: len(other.data))
                    greediest.is_cut = True
                    greediest.limit.reschedule(self._loop.time())

    async def _answer(self, request: Request) -> Answer:
        """By this loop where memory has the answer, else by a thread.

        Raises Refused, and ClientDisconnected where nobody waits when it is the request's turn.
        """
        # Pages ask models too; their requests are few, and shed in the queue itself.
        queue = self._engine.batcher(TASKS.get(request.path, ""))
        if self._held > self._most_held:
            self._admission.reject(queue)
            raise busy(1)
        try:
            ticket = self._admission.try_admit(queue)
        except Overloaded as error:
            raise busy(error.retry_after) from None
        job = None
        try:
            fast = self._read_fast(request)
            answer: Answer | None = None
            if fast is not None and not request.has_left():
                answer = self._fast.answer_from_memory(fast)
            if answer is not None:
                return answer
            if self._running + len(self._waiting) >= 2 * self._threads:
                self._admission.reject(queue)
                raise busy(1)
            job = Job(request, fast, ticket, self._loop.create_future())
        finally:
            if job is None:
                self._admission.release(ticket)
        self._waiting.append(job)
        self._hand_out()
        return await job.turn

    def _hand_out(self) -> None:
        """Gives the requests that have waited longest to threads that have nothing to do."""
        while self._waiting and self._running < self._threads and self._admission.has_room:
            job = self._waiting.popleft()
            if job.request.has_left() or job.turn.done():
                self._admission.release(job.ticket)
                if not job.turn.done():
                    job.turn.set_exception(ClientDisconnected("the client hung up"))
                continue
            self._running += 1
            self._admission.acquire(job.ticket)
            self._pool.submit(self._answer_in_thread, job).add_done_callback(partial(self._come_back, job))
        if self._waiting and self._look is None:
            self._look = self._loop.call_later(LOOK_SECONDS, self._look_again)

    def _look_again(self) -> None:
        self._look = None
        self._hand_out()

    def _come_back(self, job: Job, done: Future[Answer]) -> None:
        """In the request's thread."""
        with contextlib.suppress(RuntimeError):  # the loop is closed: the server did not wait any longer
            self._loop.call_soon_threadsafe(self._finish, job, done)

    def _finish(self, job: Job, done: Future[Answer]) -> None:
        self._running -= 1
        self._admission.release(job.ticket)
        if not job.turn.done() and not done.cancelled():
            if error := done.exception():
                job.turn.set_exception(error)
            else:
                job.turn.set_result(done.result())
        self._hand_out()

    def _read_fast(self, request: Request) -> Any:
        if self._fast is None or request.announced:
            return None
        return self._fast.read(
            request.method,
            request.path,
            request.headers,
            request.body,
            request.arrived,
            request.client,
            request.has_left,
        )

    def _answer_in_thread(self, job: Job) -> Answer:
        answer: Answer = call(self._app, job.request) if job.fast is None else self._fast.answer(job.fast)
        return answer

    async def _refuse(self, request: Request, refusal: Refused, send: Send) -> None:
        status, headers, body = self._refusals.answer(
            refusal.status,
            refusal.name,
            str(refusal),
            request.method,
            request.path,
            dict(request.headers),
            request.body,
        )
        if refusal.retry_after:
            headers.append((b"Retry-After", b"%d" % refusal.retry_after))
        await _send(send, status, headers, body)


def busy(seconds: int) -> Refused:
    """Refused, for so long."""
    return Refused(
        HTTPStatus.SERVICE_UNAVAILABLE, "overloaded", "the server is busy, try again later", retry_after=seconds
    )


async def _send(send: Send, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
