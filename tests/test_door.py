"""The door before the application: whom it refuses, and whom it counts as on the way."""

import threading
import time
from types import SimpleNamespace

import numpy as np
import pytest

from structbert_lite.door import AT_ONCE, LONG_SECONDS, Door
from structbert_lite.errors import Overloaded
from structbert_lite.inference.batcher import Batcher
from structbert_lite.inference.entry_queue import Entry
from structbert_lite.inference.tokenizer import Encoding

QUEUE_SECONDS = 0.5
TOKENS = 1000


@pytest.fixture
def gate() -> threading.Event:
    return threading.Event()


@pytest.fixture
def batcher(gate: threading.Event) -> Batcher:
    """Its one worker waits at the gate."""

    def run(encodings: list[Encoding]) -> np.ndarray:
        gate.wait(30)
        return np.zeros((len(encodings), 1), np.float32)

    batcher = Batcher(run, 1, 1, 128, 1 << 20, queue_seconds=QUEUE_SECONDS)
    yield batcher
    gate.set()
    batcher.close()


@pytest.fixture
def door(batcher: Batcher) -> Door:
    door = Door()
    runner = SimpleNamespace(batcher=batcher)
    door.open(SimpleNamespace(names={"sentiment": "a model"}, runners={"a model": runner}))
    return door


def entry() -> Entry:
    return Entry(Encoding([0] * TOKENS, [0] * TOKENS, False), time.monotonic() + 30)


def fill(batcher: Batcher) -> int:
    for count in range(200):
        try:
            batcher.add([entry()])
        except Overloaded:
            return count
    pytest.fail("the queue has no end")


def test_it_says_what_the_queue_would_say(door: Door, batcher: Batcher, gate: threading.Event) -> None:
    assert door.refuses(b"/predict", 0) == 0
    assert fill(batcher) > 2
    refused = batcher.counts.refused
    assert door.refuses(b"/predict", 0) >= 1
    assert batcher.counts.refused == refused + 1
    assert door.refuses(b"/similarity", 0) == door.refuses(b"/v1/embeddings", 0) == door.refuses(b"", 0) == 0
    gate.set()
    limit = time.monotonic() + 30
    while batcher.queued_tokens and time.monotonic() < limit:
        time.sleep(0.01)
    time.sleep(1.1)  # overload is over after a second without a refusal
    assert door.refuses(b"/predict", 0) == 0


def test_requests_on_their_way_count_until_they_arrive_or_end(door: Door, batcher: Batcher) -> None:
    batcher.add([entry()])
    batcher.add([entry()])
    many = 200
    for _ in range(many):
        door.let_in()
    assert door.refuses(b"/predict", 0) >= 1

    def come(to_the_queue: bool) -> None:
        door.begin()
        if to_the_queue:
            door.on_tokenize(1, 0.0, 0.0)
            door.on_tokenize(1, 0.0, 0.0)  # a request may ask twice
        door.end()

    crowd = [threading.Thread(target=come, args=(i % 2 == 0,)) for i in range(many)]
    for thread in crowd:
        thread.start()
    for thread in crowd:
        thread.join()
    time.sleep(1.1)
    assert door.refuses(b"/predict", 0) == 0


def test_who_waits_for_a_thread_counts_for_newcomers_only(door: Door, batcher: Batcher) -> None:
    batcher.add([entry()])
    limit = time.monotonic() + 30
    while batcher.queued_tokens and time.monotonic() < limit:  # until it runs
        time.sleep(0.01)
    assert door.refuses(b"/predict", 200) >= 1
    assert batcher.counts.refused == 1
    assert door.refuses(b"/predict") == 0  # nobody is before it
    for _ in range(200):
        door.let_in()
    assert door.refuses(b"/predict") >= 1
    assert batcher.counts.refused == 2


def test_there_is_room_for_a_few_at_once_and_for_more_when_those_take_long(door: Door) -> None:
    calls = []
    door.on_arrival = lambda: calls.append(door.has_room)
    for _ in range(AT_ONCE - 1):
        door.let_in()
    assert door.has_room
    door.let_in()
    assert not door.has_room
    door.begin()
    time.sleep(LONG_SECONDS + 0.01)
    assert door.has_room
    door.let_in()
    assert not door.has_room
    door.end()
    assert calls == [False]  # the long one had not counted
    door.begin()
    door.end()
    assert calls == [False, True]


def test_a_server_without_room_is_told_to_the_queue_of_the_path(door: Door, batcher: Batcher) -> None:
    door.turn_away(b"/predict")
    door.turn_away(b"/v1/embeddings")
    assert batcher.counts.refused == 1


def test_before_the_engine_is_there_everybody_may_come() -> None:
    assert Door().refuses(b"/predict") == 0
