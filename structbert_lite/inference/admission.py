"""Who is let into the queue: its bound is the time one would wait, by the pace of the runs before.

Normally a queue may grow for a while: clients come in bursts, and sixty that each wait for their answer are no trouble.
Under overload, which is requests coming faster than they are answered and for longer, a queue would be full all the
time and make everybody wait. Then no more is let in than keeps the CPUs busy, and who is let in is answered almost as
quickly as ever. (Controlled delay: Maurer, "Fail at Scale", 2015.)
"""

import math
import time
from collections.abc import Callable

from structbert_lite.errors import Overloaded

# Tokens after which a measurement counts a third, and what is assumed before the first one.
MEMORY_TOKENS = 4096
ASSUMED_TOKENS, ASSUMED_SECONDS = 512, 0.05
# Overload: in so many more windows than not, so many times more requests come than are answered, and a few more.
WINDOW_SECONDS, WINDOWS = 0.05, 4
TIMES_MORE, FEW = 1.2, 3
# As many clients that each wait for their answer are no overload, however slow the model is.
CROWD = 64
GROWN = 0.25  # of the longest wait: a shorter queue is no trouble however it grew
CALM_SECONDS = 1.0  # without a refusal, and it is over
NEWEST = 0.05  # weight of the newest request in the mean


class Admission:
    """For one queue with `workers` workers. Not safe for several threads: its batcher has a lock.

    `queue_seconds`: the longest wait of more requests than a crowd. Under overload `enough` tokens are let in for each
    worker: what keeps it busy. `tokens_per_request`: mean.
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
        self._inside = self._coming = self._level = self._answered = self._refused = self._windows = 0

    def wait_behind(self, tokens: float) -> float:
        """Seconds until so many tokens are run."""
        return tokens * self._seconds / self._tokens / self._workers

    def note_run(self, tokens: int, seconds: float) -> None:
        """A micro-batch of so many tokens took a worker so long, waiting for a CPU included."""
        kept = math.exp(-tokens / MEMORY_TOKENS)
        self._tokens, self._seconds = self._tokens * kept + tokens, self._seconds * kept + seconds

    def check(self, tokens_ahead: float, deadline: float = math.inf, coming: int | None = None) -> None:
        """One request asks to be let in behind so many tokens. Raises Overloaded.

        `coming`: it is at the door, behind so many that are on their way, and is going to ask again.
        """
        now = self._clock()
        if coming is not None:
            self._coming = coming
        wait = self.wait_behind(tokens_ahead)
        self._look(now, wait)
        if self.overloaded and tokens_ahead > self.enough:
            self._refuse(now, wait, "the queue is full, try again later")
        if wait > deadline - now > 0:  # a deadline that has passed is told as such
            self._refuse(now, wait, "the queue is too long for the request's deadline")

    def note_turned_away(self) -> None:
        """A request came while there was no room for it even to ask."""
        now = self._clock()
        self._refused += 1
        self._look(now, 0.0)
        self._crowded_at = now
        if self.overloaded:
            self._refused_at = now

    def note_entry(self, tokens: int) -> None:
        """A request of so many tokens was let in."""
        self._inside += 1
        self._coming = max(0, self._coming - 1)
        before = self.tokens_per_request or tokens
        self.tokens_per_request = before + NEWEST * (min(tokens, 4 * before) - before)

    def note_answer(self) -> None:
        """A request that was let in has left."""
        self._inside -= 1
        self._answered += 1

    def _refuse(self, now: float, wait: float, message: str) -> None:
        self._refused += 1
        self._refused_at = now
        raise Overloaded(message, retry_after=max(1, math.ceil(wait)))

    def _look(self, now: float, wait: float) -> None:
        requests = self._inside + self._coming
        if now >= self._window_ends:
            came = requests - self._level + self._answered + self._refused
            if now - self._window_ends >= WINDOW_SECONDS:  # nobody came for a whole window
                self._windows = 0
            elif came > TIMES_MORE * self._answered + FEW:
                self._windows = min(WINDOWS, self._windows + 1)
            else:  # not from the beginning: in so short a time it is often chance
                self._windows = max(0, self._windows - 1)
            self._level = requests
            self._answered = self._refused = 0
            self._window_ends = now + WINDOW_SECONDS
        if self.overloaded:
            self.overloaded = now - self._refused_at < CALM_SECONDS
            return
        is_crowded = requests > CROWD or now - self._crowded_at < WINDOW_SECONDS
        is_long = wait > self._queue_seconds and requests > CROWD
        is_large = wait > GROWN * self._queue_seconds or is_crowded
        if is_long or (is_large and self._windows >= WINDOWS):
            self.overloaded = True
            self._refused_at = now
