"""Micro-batches from what queued while the CPU was busy. Nobody ever waits for company.

Workers take the first entry and, from what else is waiting, entries of about its length, under a
budget of padded tokens. A lone entry runs at once.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from structbert_lite.errors import DeadlineExceeded, InferenceFailed, NotReady, Overloaded
from structbert_lite.inference.admission import AdmissionController, OverloadDetector
from structbert_lite.inference.entry_queue import Entry, EntryQueue, total_cost
from structbert_lite.inference.observer import Observer
from structbert_lite.inference.resources import cpu_facts
from structbert_lite.inference.tokenizer import Encoding
from structbert_lite.request_context import RequestContext

log = logging.getLogger(__name__)

# A worker looks at this many waiting entries for company: more would cost more than it finds.
WINDOW = 256
# Whoever waits looks this often whether its client is still there.
POLL_SECONDS = 0.05
# Under overload micro-batches are smaller, for those who wait for the one that runs; smaller still where the CPU gains
# nothing from company, which is without VNNI (docs/benchmarks.md). And the backlog of a worker, in such micro-batches.
OVERLOAD_BATCH_FACTOR, BACKLOG_FACTOR = 0.5 if "vnni" in cpu_facts() else 0.25, 0.8
# Under overload an entry may have waited so many times longer than was thought when it was let in.
SHED_FACTOR = 1 / OVERLOAD_BATCH_FACTOR
NO_LIMIT = float("inf")


class FairSemaphore:
    """Bounds the runs side by side of all models: `count` permits, given in the order in which they were asked for.

    A plain semaphore lets whoever gives a permit back take it again at once: a busy model would shut out the others.
    """

    def __init__(self, count: int) -> None:
        self._free = count
        self._turns: deque[threading.Lock] = deque()
        self._lock = threading.Lock()

    def __enter__(self) -> None:
        with self._lock:
            if self._free > 0:
                self._free -= 1
                return
            turn = threading.Lock()
            turn.acquire()
            self._turns.append(turn)
        turn.acquire()

    def __exit__(self, *_: object) -> None:
        with self._lock:
            if self._turns:
                self._turns.popleft().release()
            else:
                self._free += 1


@dataclass(slots=True)
class BatcherCounts:
    """Totals since the start. `padded_tokens` counts longest times rows of every micro-batch."""

    batches: int = 0
    rows: int = 0
    tokens: int = 0
    padded_tokens: int = 0
    refused: int = 0
    expired: int = 0
    failed: int = 0


class Batcher:
    """`workers` threads that call `run`: list[Encoding] -> float32 [rows, width]."""

    def __init__(
        self,
        run: Callable[[list[Encoding]], NDArray[np.float32]],
        workers: int,
        max_batch: int,
        batch_tokens: int,
        queue_tokens: int,
        observer: Observer | None = None,
        queue_seconds: float = NO_LIMIT,
        admission: AdmissionController | None = None,
    ) -> None:
        """`admission` is what the queues of a process have in common."""
        self._run = run
        self._observer = observer or Observer()
        self._max_batch = max_batch
        self._batch_tokens = batch_tokens
        self._queue_tokens = queue_tokens
        self._queue = EntryQueue(batch_tokens)
        self._admission = admission or AdmissionController()
        self._detector = OverloadDetector(workers, queue_seconds, BACKLOG_FACTOR * OVERLOAD_BATCH_FACTOR * batch_tokens)
        self._changed = threading.Condition()
        self._closed = False
        self._is_guarded = False  # its requests are admitted before they come
        self._running: dict[int, float] = {}  # thread -> when its run began
        self.last_run_failed = False
        self.counts = BatcherCounts()
        self._threads = [threading.Thread(target=self._work, name=f"batcher-{i}", daemon=True) for i in range(workers)]
        for thread in self._threads:
            thread.start()

    def add(self, entries: list[Entry]) -> None:
        """Queues all of `entries` or none.

        Raises Overloaded while the queue holds its limit of tokens or would keep them waiting for too long, NotReady
        after `close`.
        """
        size = total_cost(entries)
        with self._changed:
            if self._closed:
                raise NotReady("the server is shutting down")
            try:
                if not self._is_guarded:
                    self._detector.check(self._queue.tokens_ahead)
                self._detector.check_deadline(self._queue.tokens_ahead, entries[0].deadline)
                if self._queue.tokens >= self._queue_tokens:
                    raise Overloaded("the queue is full, try again later", retry_after=1)
            except Overloaded:
                self._count_refused(len(entries))
                raise
            self._detector.record_entry(size)
            now = time.monotonic()
            for entry in entries:
                entry.queued = now
            self._queue.add(entries)
            self._observer.on_queue(len(self._queue), self.queued_tokens)
            self._changed.notify(len(entries))
        self._admission.record_queued(1)

    def admit(self) -> None:
        """Counts a request that is going to call `add`, as it would be if it did so now. Raises Overloaded."""
        with self._changed:
            detector, self._is_guarded = self._detector, True
            try:
                detector.check(self._queue.tokens_ahead + detector.on_their_way * detector.tokens_per_request)
            except Overloaded:
                self._count_refused(1)
                raise
            detector.record_admission(1)

    def discharge(self) -> None:
        """A request that was admitted is answered, whether it called `add` or not."""
        with self._changed:
            self._detector.record_admission(-1)

    def reject(self) -> None:
        """A request was refused because no more fit into the server, not only into this queue."""
        with self._changed:
            self._detector.record_rejection()
            self._count_refused(1)

    def record_answer(self) -> None:
        """A call whose entries were added has ended, whatever came of them."""
        with self._changed:
            self._detector.record_answer()
        self._admission.record_queued(-1)

    @property
    def queued_tokens(self) -> int:
        return self._queue.tokens

    def wait(self, entry: Entry, context: RequestContext) -> NDArray[np.float32]:
        """The entry's row, float32 [width].

        Raises DeadlineExceeded at the deadline, ClientDisconnected soon after the client has, InferenceFailed when the
        model fails on this entry.
        """
        while not entry.done.is_set():  # looked at before the wait: where each entry comes quickly, none waits long
            left = context.deadline - time.monotonic()
            if left <= 0:
                raise DeadlineExceeded("the deadline passed before the answer")
            context.check_connected()
            entry.done.wait(min(POLL_SECONDS, left))
        if entry.error is not None:
            raise entry.error
        if entry.row is None:
            raise InferenceFailed("the model gave nothing for this input")
        return entry.row

    def add_waiter(self, entry: Entry, deadline: float) -> bool:
        """One more caller waits for an entry that is already on its way; False when it has failed."""
        with self._changed:
            if entry.error is not None:
                return False
            entry.waiters += 1
            entry.deadline = max(entry.deadline, deadline)
            return True

    def remove_waiter(self, entry: Entry) -> None:
        """One caller no longer waits; an entry without waiters is dropped before it runs."""
        with self._changed:
            entry.waiters -= 1

    @property
    def lost_a_worker(self) -> bool:
        """Whether a worker has ended without being told to."""
        return not all(thread.is_alive() for thread in self._threads) and not self._closed

    def longest_run(self) -> float:
        """Seconds that the longest of the runs under way has taken so far; 0.0 when there is none."""
        now = time.monotonic()
        return max((now - began for began in list(self._running.values())), default=0.0)

    def close(self) -> None:
        """Lets the workers finish what is queued and waits for them."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        while True:
            with self._changed:
                while not self._queue and not self._closed:
                    self._changed.wait()
                if not self._queue:
                    return
                dead = self._drop_expired()
                batch = self._take() if self._queue else []
                shed = self._shed_load()
                self._observer.on_queue(len(self._queue), self.queued_tokens)
            for entry in dead + shed:  # outside the lock: whoever is told may take locks of his own
                _complete(entry)
            if dead:
                self._observer.on_unanswered("expired", len(dead))
            if shed:
                self._observer.on_unanswered("refused", len(shed))
            if batch:
                self._record(batch)
                self._finish(batch)
                with self._changed:
                    self._detector.record_run(total_cost(batch), time.monotonic() - batch[0].began)

    def _count_refused(self, entries: int) -> None:
        self.counts.refused += entries
        self._observer.on_unanswered("refused", entries)

    def _take(self) -> list[Entry]:
        """Removes the next micro-batch from the queue and counts it."""
        batch = self._form_batch()
        self._queue.take(batch)
        tokens = total_cost(batch)
        self.counts.batches += 1
        self.counts.rows += len(batch)
        self.counts.tokens += tokens
        self.counts.padded_tokens += _padded_tokens(batch)
        return batch

    def _record(self, batch: list[Entry]) -> None:
        now = time.monotonic()
        for entry in batch:
            entry.began = now
        waits = [now - entry.queued for entry in batch]
        self._observer.on_batch(waits, total_cost(batch), _padded_tokens(batch))

    def _form_batch(self) -> list[Entry]:
        first, *others = self._queue.first(WINDOW)
        waiting = [entry for entry in others if entry.encoding.fits_with(first.encoding)]
        waiting.sort(key=lambda entry: abs(len(entry.encoding) - len(first.encoding)))
        budget = self._batch_tokens * (OVERLOAD_BATCH_FACTOR if self._detector.overloaded else 1)
        batch, longest = [first], len(first.encoding)
        for entry in waiting:
            longest = max(longest, len(entry.encoding))
            if len(batch) == self._max_batch or longest * (len(batch) + 1) > budget:
                break
            batch.append(entry)
        return batch

    def _drop_expired(self) -> list[Entry]:
        """Takes out every entry that nobody waits for or whose deadline passed."""
        now = time.monotonic()
        dead = [entry for entry in self._queue if entry.waiters < 1 or entry.deadline <= now]
        if dead:
            self._queue.remove(dead)
        for entry in dead:
            self.counts.expired += 1
            entry.error = DeadlineExceeded("the deadline passed before the answer")
        return dead

    def _shed_load(self) -> list[Entry]:
        """Takes out, when overload has just been noticed, the calls that came too late to be answered soon."""
        if not self._detector.overloaded:
            return []
        late, tokens = [], 0
        for entry in self._queue:
            if not entry.call.begun and tokens > SHED_FACTOR * self._detector.enough:
                late.append(entry)
            else:
                tokens += entry.encoding.cost
        if late:
            self._queue.remove(late)
        for entry in late:
            self.counts.refused += 1
            entry.error = Overloaded("the queue is full, try again later", retry_after=1)
        return late

    def _finish(self, batch: list[Entry]) -> None:
        try:
            rows = self._timed_run([entry.encoding for entry in batch])
            if not np.isfinite(rows).all():
                raise FloatingPointError("the output is not finite")
            for entry, row in zip(batch, rows, strict=True):
                entry.row = row.copy()  # a view would keep the whole batch's output alive in the cache
            self.last_run_failed = False
        except Exception as error:
            if len(batch) > 1:  # only the one at fault may fail
                for entry in batch:
                    self._finish([entry])
                return
            log.exception("inference failed on an input of %d tokens", len(batch[0].encoding))
            self.counts.failed += 1
            self._observer.on_unanswered("failed", 1)
            self.last_run_failed = True
            batch[0].error = InferenceFailed(f"the model failed on this input: {type(error).__name__}")
        for entry in batch:
            _complete(entry)

    def _timed_run(self, encodings: list[Encoding]) -> NDArray[np.float32]:
        thread = threading.get_ident()
        self._running[thread] = time.monotonic()
        try:
            return self._run(encodings)
        finally:
            del self._running[thread]


def _padded_tokens(batch: list[Entry]) -> int:
    """Longest times rows, and the texts that are read before them."""
    lengths = [len(entry.encoding) for entry in batch]
    return max(lengths) * len(batch) + total_cost(batch) - sum(lengths)


def _complete(entry: Entry) -> None:
    entry.ended = time.monotonic()
    if entry.on_done is not None:
        entry.on_done(entry)
    entry.done.set()
