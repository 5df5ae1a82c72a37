"""Clients that never pause, know the right answer to everything they ask, and count what they got instead."""

import http.client
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

PATIENCE = 180.0


@dataclass(frozen=True, slots=True)
class Question:
    """`answer` is what a server that nothing happened to gives, byte by byte."""

    path: str
    body: bytes
    answer: bytes


@dataclass
class Crowd:
    """`counts`: `right` and `wrong` answers; `later`, a 503 with Retry-After; `cut`, none or not all of one; `other`.

    Who is told to come later, or whose answer is cut, asks the same again.
    """

    port: int
    questions: Sequence[Question]
    clients: int = 8
    counts: Counter = field(default_factory=Counter)
    others: list[str] = field(default_factory=list)  # whatever else came
    slowest: float = 0.0  # seconds
    _stopped: bool = False

    @contextmanager
    def asking(self) -> Iterator["Crowd"]:
        """The clients ask until the block ends, and are waited for."""
        threads = [threading.Thread(target=self._ask, args=(number,)) for number in range(self.clients)]
        for thread in threads:
            thread.start()
        try:
            yield self
        finally:
            self._stopped = True
            for thread in threads:
                thread.join(PATIENCE)
                assert not thread.is_alive(), "a client hangs"

    def wait_for(self, more: int) -> None:
        """Returns when `more` right answers have come from now on."""
        enough, limit = self.counts["right"] + more, time.monotonic() + PATIENCE
        while self.counts["right"] < enough:
            assert time.monotonic() < limit, (self.counts, self.others)
            time.sleep(0.01)

    def _ask(self, number: int) -> None:
        choose = random.Random(number)
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        question = choose.choice(self.questions)
        while not self._stopped:
            outcome = self._try(connection, question)
            if outcome in {"cut", "later"}:
                time.sleep(0.02)  # and the same question again
            else:
                question = choose.choice(self.questions)
            self.counts[outcome] += 1
        connection.close()

    def _try(self, connection: http.client.HTTPConnection, question: Question) -> str:
        began = time.monotonic()
        try:
            connection.request("POST", question.path, question.body, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            body = answer.read()
        except (OSError, http.client.HTTPException):
            connection.close()
            return "cut"
        self.slowest = max(self.slowest, time.monotonic() - began)
        if answer.status == 200:
            return "right" if body == question.answer else "wrong"
        if answer.status == 503 and answer.getheader("Retry-After"):
            return "later"
        self.others.append(f"{question.path} {answer.status} {body[:200]!r}")
        return "other"
