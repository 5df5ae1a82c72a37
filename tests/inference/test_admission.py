"""Who is let in, with a clock of the test's own: a server whose requests have 40 tokens each."""

from collections import deque

import pytest

from structbert_lite.errors import Overloaded
from structbert_lite.inference.admission import OverloadDetector

FAST, SLOW = 100, 4
TOKENS, QUEUE_SECONDS, ENOUGH = 40, 2.0, 100


class Server:
    """One worker that runs one request after the other, on a clock that only `advance` moves."""

    def __init__(self, rate: int = FAST) -> None:
        self.rate = rate
        self.now = 1000.0
        self.detector = OverloadDetector(1, QUEUE_SECONDS, ENOUGH, clock=lambda: self.now)
        self.queue: deque[float] = deque()  # when each came
        self.free_at = self.now
        self.waits: list[float] = []
        self.refused = 0
        for _ in range(200):
            self.detector.record_run(TOKENS, 1 / self.rate)

    def ask(self) -> bool:
        try:
            self.detector.check(TOKENS * len(self.queue))
        except Overloaded:
            self.refused += 1
            return False
        self.detector.record_entry(TOKENS)
        self.queue.append(self.now)
        return True

    def advance(self, seconds: float) -> int:
        """Lets time pass; returns how many were answered."""
        until, answered = self.now + seconds, 0
        while self.queue and max(self.free_at, self.queue[0]) + 1 / self.rate <= until:
            self.free_at = self.now = max(self.free_at, self.queue[0]) + 1 / self.rate
            self.waits.append(self.now - self.queue.popleft())
            self.detector.record_run(TOKENS, 1 / self.rate)
            self.detector.record_answer()
            answered += 1
        self.now = until
        return answered

    def offer(self, times: float, seconds: float) -> None:
        """Requests at even distances, `times` as many as can be answered."""
        for _ in range(int(times * self.rate * seconds)):
            self.advance(1 / self.rate / times)
            self.ask()


@pytest.mark.parametrize("rate", [FAST, SLOW])
def test_clients_that_wait_for_their_answers_are_never_refused(rate: int) -> None:
    server = Server(rate)
    assert all(server.ask() for _ in range(64))
    for _ in range(2000):
        assert all(server.ask() for _ in range(server.advance(0.01)))
    assert not server.detector.overloaded


def test_under_overload_waits_are_short_and_the_worker_is_busy() -> None:
    server = Server()
    server.offer(3, 20)
    assert server.detector.overloaded
    late = server.waits[len(server.waits) // 10 :]
    assert max(late) <= (ENOUGH / TOKENS + 2) / FAST
    assert len(server.waits) >= 0.99 * FAST * 20
    assert server.refused > 1.9 * FAST * 19


def test_a_server_without_room_is_overloaded_though_the_queue_is_short() -> None:
    """As many as there are threads ask the queue; whoever else comes is turned away before."""
    server = Server()
    room = 30
    for _ in range(1000):
        if len(server.queue) < room:
            assert server.ask() or server.detector.overloaded
        else:
            server.detector.record_rejection()
        server.advance(1 / FAST / 3)
        if server.detector.overloaded:
            break
    assert 0.2 <= server.now - 1000 < 1.5
    server.offer(3, 5)
    assert server.waits[-1] <= (ENOUGH / TOKENS + 2) / FAST


def test_a_burst_that_finds_no_room_is_no_overload() -> None:
    server = Server()
    assert all(server.ask() for _ in range(60))
    for _ in range(200):
        server.detector.record_rejection()
    for _ in range(300):
        assert all(server.ask() for _ in range(server.advance(0.01)))
    assert not server.detector.overloaded


def test_bursts_with_quiet_between_them_are_no_overload() -> None:
    server = Server()
    for _ in range(20):
        for _ in range(70):
            assert server.ask()
            server.advance(0.003)  # three times as fast as they are answered, for 0.2 s
        server.advance(1)
    assert not server.detector.overloaded


def test_a_load_that_can_be_answered_is() -> None:
    server = Server()
    server.offer(0.95, 30)
    assert (server.refused, server.detector.overloaded) == (0, False)


def test_slowly_growing_overload_is_noticed_when_the_queue_is_too_long() -> None:
    server = Server()
    server.offer(1.1, 15)
    assert server.refused == 0
    assert max(server.waits) > 1
    server.offer(1.1, 30)
    assert server.refused > 0
    assert server.waits[-1] <= (ENOUGH / TOKENS + 2) / FAST


def test_when_the_overload_is_over_bursts_are_welcome_again() -> None:
    server = Server()
    server.offer(3, 5)
    server.offer(0.5, 2)
    server.refused = 0
    assert all(server.ask() for _ in range(64))
    assert not server.detector.overloaded


def test_a_request_whose_deadline_comes_before_its_turn_is_refused_at_once() -> None:
    server = Server()
    server.detector.check_deadline(50 * TOKENS, server.now + 1)
    with pytest.raises(Overloaded, match="deadline") as caught:
        server.detector.check_deadline(150 * TOKENS, server.now + 1)
    assert caught.value.retry_after == 2


def test_the_wait_is_that_of_all_workers_together() -> None:
    one, four = (OverloadDetector(workers, 1.0, 1.0) for workers in (1, 4))
    assert one.estimated_wait(1000) == pytest.approx(4 * four.estimated_wait(1000))


def test_a_lone_short_run_does_not_pass_for_the_pace() -> None:
    """The warm-up runs one short text, of which most is not per token."""
    detector = OverloadDetector(2, 1.0, 1.0)
    before = detector.estimated_wait(2000)
    detector.record_run(3, 0.01)
    assert detector.estimated_wait(2000) < 1.5 * before
