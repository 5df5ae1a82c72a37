"""Who is let in before the application, what counts as on its way, and when a thread is given."""

import threading
import time
from collections.abc import Iterator

import numpy as np
import pytest

from structbert_lite.errors import Overloaded
from structbert_lite.inference.admission import AT_ONCE, LONG_SECONDS, AdmissionController, Ticket
from structbert_lite.inference.batcher import Batcher
from structbert_lite.inference.entry_queue import Entry
from structbert_lite.inference.tokenizer import Encoding

QUEUE_SECONDS = 0.5
TOKENS = 1000


@pytest.fixture
def gate() -> threading.Event:
    return threading.Event()


@pytest.fixture
def controller() -> AdmissionController:
    return AdmissionController()


@pytest.fixture
def batcher(gate: threading.Event, controller: AdmissionController) -> Iterator[Batcher]:
    """Its one worker waits at the gate."""

    def run(encodings: list[Encoding]) -> np.ndarray:
        gate.wait(30)
        return np.zeros((len(encodings), 1), np.float32)

    batcher = Batcher(run, 1, 1, 128, 1 << 20, queue_seconds=QUEUE_SECONDS, admission=controller)
    yield batcher
    gate.set()
    batcher.close()


def entry() -> Entry:
    return Entry(Encoding([0] * TOKENS, [0] * TOKENS, False), time.monotonic() + 30)


def wait_until_empty(batcher: Batcher) -> None:
    limit = time.monotonic() + 30
    while batcher.queued_tokens and time.monotonic() < limit:
        time.sleep(0.01)


def admits(controller: AdmissionController, batcher: Batcher) -> bool:
    try:
        controller.release(controller.try_admit(batcher))
    except Overloaded:
        return False
    return True


def admit_until_refused(controller: AdmissionController, batcher: Batcher) -> list[Ticket]:
    tickets = []
    for _ in range(200):
        try:
            tickets.append(controller.try_admit(batcher))
        except Overloaded:
            return tickets
    pytest.fail("everybody may come")


def test_it_says_what_the_queue_would_say(
    controller: AdmissionController, batcher: Batcher, gate: threading.Event
) -> None:
    for _ in range(200):  # nobody asks before: the queue itself has an end
        try:
            batcher.add([entry()])
        except Overloaded:
            break
    else:
        pytest.fail("the queue has no end")
    refused = batcher.counts.refused
    assert not admits(controller, batcher)
    assert batcher.counts.refused == refused + 1
    controller.release(controller.try_admit(None))  # who needs no model may come
    gate.set()
    wait_until_empty(batcher)
    time.sleep(1.1)  # overload is over after a second without a refusal
    assert admits(controller, batcher)


def test_requests_on_their_way_count_until_they_are_released(controller: AdmissionController, batcher: Batcher) -> None:
    batcher.add([entry()])
    batcher.add([entry()])
    tickets = admit_until_refused(controller, batcher)
    assert len(tickets) > 60  # as many clients that each wait for their answer are no overload
    for ticket in tickets:
        controller.release(ticket)
    time.sleep(1.1)
    assert admits(controller, batcher)


def test_who_was_admitted_is_not_asked_again(controller: AdmissionController, batcher: Batcher) -> None:
    batcher.add([entry()])
    limit = time.monotonic() + 30
    while not batcher.longest_run() and time.monotonic() < limit:  # else the worker might shed what is queued next
        time.sleep(0.001)
    tickets = admit_until_refused(controller, batcher)
    refused = batcher.counts.refused
    for _ in tickets:
        batcher.add([entry()])
    assert batcher.counts.refused == refused


def test_there_is_room_for_a_few_at_once_and_for_more_when_those_take_long(controller: AdmissionController) -> None:
    tickets = [controller.try_admit(None) for _ in range(AT_ONCE + 1)]
    for ticket in tickets[:-1]:
        assert controller.has_room
        controller.acquire(ticket)
    assert not controller.has_room
    time.sleep(LONG_SECONDS + 0.01)
    assert controller.has_room
    controller.acquire(tickets[-1])
    assert controller.has_room == (AT_ONCE > 1)
    for ticket in tickets:
        controller.release(ticket)
    assert controller.has_room


def test_who_waits_in_a_queue_makes_room(controller: AdmissionController, batcher: Batcher) -> None:
    calls = []
    controller.on_room = lambda: calls.append(controller.has_room)
    for _ in range(AT_ONCE):
        controller.acquire(controller.try_admit(None))
    assert not controller.has_room
    batcher.add([entry()])
    assert calls == [True]
    batcher.record_answer()
    assert not controller.has_room


def test_a_server_without_room_is_told_to_the_queue(controller: AdmissionController, batcher: Batcher) -> None:
    controller.reject(batcher)
    controller.reject(None)
    assert batcher.counts.refused == 1
