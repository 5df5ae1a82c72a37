"""Admission control and load shedding: who comes in, decided once and before any work is done for a request.

Normally a queue may grow for a while: clients come in bursts, and sixty that each wait for their answer are no trouble.
Under overload, which is requests coming faster than they are answered and for longer, a queue would be full all the
time and make everybody wait. Then no more is let in than keeps the CPUs busy, and who is let in is answered almost as
quickly as ever. (Controlled delay: Maurer, "Fail at Scale", 2015.)
"""

import math
import threading
import time
from collections.abc import Callable
from itertools import islice
from typing import Protocol

from structbert_lite.errors import Overloaded
from structbert_lite.inference.resources import usable_cpus

# EWMA of the throughput: after so many tokens a measurement counts a third. What is assumed before the first one.
MEMORY_TOKENS = 4096
ASSUMED_TOKENS, ASSUMED_SECONDS = 512, 0.05
# A window is one of overload when arrivals exceed answers by this ratio and this slack; so many more of them than of
# others trip the detector.
WINDOW_SECONDS, WINDOWS_TO_TRIP = 0.05, 4
ARRIVAL_RATIO, SLACK = 1.2, 3
# As many clients that each wait for their answer are no overload, however slow the model is.
MIN_CONCURRENCY = 64
QUEUE_FRACTION = 0.25  # of the longest wait: a shorter queue is no trouble however it grew
RECOVERY_SECONDS = 1.0  # without a refusal, and it is over
EWMA_WEIGHT = 0.05  # of the newest request in the mean of its tokens
# So many requests are read and tokenized at once, beside those that take long: more would only fight for the
# interpreter's lock, and the event loop would not get it.
AT_ONCE, LONG_SECONDS = max(2, usable_cpus()), 0.02


class OverloadDetector:
    """For one queue with `workers` workers. Not safe for several threads: its batcher has a lock.

    `queue_seconds`: the longest wait, by estimate, where more than MIN_CONCURRENCY requests are there. Under overload a
    backlog of `enough` tokens is let in for each worker: what keeps it busy. `tokens_per_request`: their EWMA.
    """

    def __init__(
        self,
        workers: int,
        queue_seconds: float,
        enough: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.overloaded = False
        self.tokens_per_request = 0.0
        self._workers, self._clock = workers, clock
        self._queue_seconds, self.enough = queue_seconds, enough * workers
        self._tokens, self._seconds = float(ASSUMED_TOKENS), ASSUMED_SECONDS
        self._window_ends = self._refused_at = self._crowded_at = -math.inf
        self._queued = self._admitted = self._level = self._answered = self._refused = self._windows = 0

    @property
    def on_their_way(self) -> int:
        """Requests that were admitted and have not come to the queue, if they ever do."""
        return max(0, self._admitted - self._queued)

    def estimated_wait(self, tokens: float) -> float:
        """Seconds until so many tokens are run."""
        return tokens * self._seconds / self._tokens / self._workers

    def record_run(self, tokens: int, seconds: float) -> None:
        """A micro-batch of so many tokens took a worker so long, waiting for a CPU included."""
        kept = math.exp(-tokens / MEMORY_TOKENS)
        self._tokens, self._seconds = self._tokens * kept + tokens, self._seconds * kept + seconds

    def check(self, tokens_ahead: float) -> None:
        """One request asks to come in behind so many tokens. Raises Overloaded."""
        now = self._clock()
        wait = self.estimated_wait(tokens_ahead)
        self._update(now, wait)
        if self.overloaded and tokens_ahead > self.enough:
            self._refuse(now, wait, "the queue is full, try again later")

    def check_deadline(self, tokens_ahead: float, deadline: float) -> None:
        """The same, for its deadline, an instant of the clock. Raises Overloaded."""
        now = self._clock()
        wait = self.estimated_wait(tokens_ahead)
        if wait > deadline - now > 0:  # a deadline that has passed is told as such
            self._refuse(now, wait, "the queue is too long for the request's deadline")

    def record_rejection(self) -> None:
        """A request came while there was no room for it even to ask."""
        now = self._clock()
        self._refused += 1
        self._update(now, 0.0)
        self._crowded_at = now
        if self.overloaded:
            self._refused_at = now

    def record_admission(self, change: int) -> None:
        """A request was admitted before it had anything to queue (1), or is answered (-1)."""
        self._admitted += change

    def record_entry(self, tokens: int) -> None:
        """A request of so many tokens was queued."""
        self._queued += 1
        before = self.tokens_per_request or tokens
        self.tokens_per_request = before + EWMA_WEIGHT * (min(tokens, 4 * before) - before)

    def record_answer(self) -> None:
        """A request that was queued has its answer, or has given up."""
        self._queued -= 1
        self._answered += 1

    def _refuse(self, now: float, wait: float, message: str) -> None:
        self._refused += 1
        self._refused_at = now
        raise Overloaded(message, retry_after=max(1, math.ceil(wait)))

    def _update(self, now: float, wait: float) -> None:
        requests = max(self._queued, self._admitted)
        if now >= self._window_ends:
            came = requests - self._level + self._answered + self._refused
            if now - self._window_ends >= WINDOW_SECONDS:  # nobody came for a whole window
                self._windows = 0
            elif came > ARRIVAL_RATIO * self._answered + SLACK:
                self._windows = min(WINDOWS_TO_TRIP, self._windows + 1)
            else:  # not from the beginning: in so short a time it is often chance
                self._windows = max(0, self._windows - 1)
            self._level = requests
            self._answered = self._refused = 0
            self._window_ends = now + WINDOW_SECONDS
        if self.overloaded:
            self.overloaded = now - self._refused_at < RECOVERY_SECONDS
            return
        is_crowded = requests > MIN_CONCURRENCY or now - self._crowded_at < WINDOW_SECONDS
        is_long = wait > self._queue_seconds and requests > MIN_CONCURRENCY
        is_large = wait > QUEUE_FRACTION * self._queue_seconds or is_crowded
        if is_long or (is_large and self._windows >= WINDOWS_TO_TRIP):
            self.overloaded = True
            self._refused_at = now


class Queue(Protocol):
    """What a request is going to wait in: a batcher."""

    def admit(self) -> None:
        """Counts a request that will come to it. Raises Overloaded."""

    def discharge(self) -> None:
        """That request is answered, whether it came or not."""

    def reject(self) -> None:
        """Counts a request that is refused for other reasons."""


class Ticket:
    """A request that was admitted, bound for `queue` as far as it is known."""

    def __init__(self, queue: Queue | None) -> None:
        self.queue = queue


class AdmissionController:
    """One of a process, for the edge and for the queues of all models.

    The edge calls `try_admit` when a request is there, `acquire` when a thread gets it and `release` when it is
    answered; a queue tells when a call has come to it and gone. From that come the two counts which decide: of requests
    on their way to a queue, and of threads that work in the interpreter. A queue for which nobody asks here, as
    where the application runs without an edge, asks its own detector.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.on_room: Callable[[], object] = lambda: None  # a call has come to a queue: its thread only waits now
        self._clock = clock
        self._lock = threading.Lock()
        self._queued = 0
        self._acquired: dict[Ticket, float] = {}  # since when

    def try_admit(self, queue: Queue | None) -> Ticket:
        """Lets a request in. None: it is not known to need a model. Raises Overloaded."""
        if queue is not None:
            queue.admit()
        return Ticket(queue)

    def reject(self, queue: Queue | None) -> None:
        """A request was refused because the server itself has no room."""
        if queue is not None:
            queue.reject()

    @property
    def has_room(self) -> bool:
        """Whether another request should get a thread now: fewer than AT_ONCE work, those that take long aside."""
        long_ago = self._clock() - LONG_SECONDS
        young = sum(since >= long_ago for since in islice(reversed(self._acquired.values()), AT_ONCE))
        return min(young, len(self._acquired) - self._queued) < AT_ONCE

    def acquire(self, ticket: Ticket) -> None:
        """A thread has the request from now on."""
        self._acquired[ticket] = self._clock()

    def release(self, ticket: Ticket) -> None:
        """The request is answered, or nobody waits for it any more."""
        self._acquired.pop(ticket, None)
        if ticket.queue is not None:
            ticket.queue.discharge()

    def record_queued(self, change: int) -> None:
        """A call has come to a queue (1), or gone from it (-1). In any thread."""
        with self._lock:
            self._queued += change
        if change > 0:
            self.on_room()
