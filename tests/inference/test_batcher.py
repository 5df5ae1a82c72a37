"""The batcher with a kernel made for the test: row i of a batch is the sum of its token ids."""

import threading
import time

import numpy as np
import pytest

from structbert_lite.errors import ClientDisconnected, DeadlineExceeded, InferenceFailed, NotReady, Overloaded
from structbert_lite.inference.batcher import Batcher
from structbert_lite.inference.entry_queue import Entry
from structbert_lite.inference.tokenizer import Encoding
from structbert_lite.request_context import RequestContext

POISON = 666


class Kernel:
    """Sums token ids; fails on POISON; waits at a gate while it is shut. Remembers its batches."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.gate.set()
        self.entered = threading.Semaphore(0)
        self.batches: list[list[int]] = []

    def __call__(self, encodings: list[Encoding]) -> np.ndarray:
        self.entered.release()
        self.gate.wait(10)
        self.batches.append([len(encoding) for encoding in encodings])
        if any(POISON in encoding.ids for encoding in encodings):
            raise ValueError("poisoned")
        return np.array([[sum(encoding.ids)] for encoding in encodings], np.float32)


def encoding(value: int, length: int = 1) -> Encoding:
    return Encoding([value] + [0] * (length - 1), [0] * length, False)


def make(kernel: Kernel, **limits: int) -> Batcher:
    return Batcher(kernel, **({"workers": 1, "max_batch": 8, "batch_tokens": 64, "queue_tokens": 1000} | limits))


def soon() -> float:
    return time.monotonic() + 10


def hold(batcher: Batcher, kernel: Kernel) -> Entry:
    """Shuts the gate behind one entry, so that what comes next has to queue."""
    kernel.gate.clear()
    entry = Entry(encoding(1), soon())
    batcher.add([entry])
    assert kernel.entered.acquire(timeout=10)
    return entry


def test_every_caller_gets_his_own_answer() -> None:
    kernel = Kernel()
    batcher = make(kernel, workers=3)
    answers: dict[int, float] = {}

    def ask(value: int) -> None:
        entry = Entry(encoding(value, 1 + value % 7), soon())
        batcher.add([entry])
        answers[value] = batcher.wait(entry, RequestContext(soon()))[0]

    threads = [threading.Thread(target=ask, args=(value,)) for value in range(1000, 1200)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == {value: float(value) for value in range(1000, 1200)}
    assert batcher.queued_tokens == 0
    batcher.close()


def test_what_queued_meanwhile_goes_together_by_length_under_the_budget() -> None:
    kernel = Kernel()
    batcher = make(kernel, batch_tokens=24)
    hold(batcher, kernel)
    lengths = [10, 3, 11, 3, 9, 3]
    entries = [Entry(encoding(1, length), soon()) for length in lengths]
    batcher.add(entries)
    kernel.gate.set()
    for entry in entries:
        batcher.wait(entry, RequestContext(soon()))
    assert kernel.batches[1:] == [[10, 11], [3, 3, 3], [9]] or kernel.batches[1:] == [[10, 9], [3, 3, 3], [11]]
    assert batcher.counts.padded_tokens <= 1 + 22 + 9 + 11
    batcher.close()


def test_max_batch_bounds_the_rows() -> None:
    kernel = Kernel()
    batcher = make(kernel, max_batch=4)
    hold(batcher, kernel)
    entries = [Entry(encoding(n), soon()) for n in range(10)]
    batcher.add(entries)
    kernel.gate.set()
    for entry in entries:
        batcher.wait(entry, RequestContext(soon()))
    assert [len(batch) for batch in kernel.batches] == [1, 4, 4, 2]
    batcher.close()


def test_one_poisoned_input_fails_alone() -> None:
    kernel = Kernel()
    batcher = make(kernel)
    hold(batcher, kernel)
    entries = [Entry(encoding(value), soon()) for value in (5, POISON, 7)]
    batcher.add(entries)
    kernel.gate.set()
    assert batcher.wait(entries[0], RequestContext(soon()))[0] == 5
    with pytest.raises(InferenceFailed):
        batcher.wait(entries[1], RequestContext(soon()))
    assert batcher.wait(entries[2], RequestContext(soon()))[0] == 7
    assert not batcher.lost_a_worker
    later = Entry(encoding(9), soon())
    batcher.add([later])
    assert batcher.wait(later, RequestContext(soon()))[0] == 9
    assert not batcher.last_run_failed
    batcher.close()


def test_a_result_that_is_not_a_number_is_a_failure() -> None:
    batcher = Batcher(lambda encodings: np.full((len(encodings), 2), np.nan), 1, 8, 64, 1000)
    entry = Entry(encoding(1), soon())
    batcher.add([entry])
    with pytest.raises(InferenceFailed):
        batcher.wait(entry, RequestContext(soon()))
    assert batcher.last_run_failed
    batcher.close()


def test_a_full_queue_refuses_at_the_door_and_recovers() -> None:
    kernel = Kernel()
    batcher = make(kernel, queue_tokens=4)
    hold(batcher, kernel)
    queued = Entry(encoding(2, 4), soon())
    batcher.add([queued])
    with pytest.raises(Overloaded) as caught:
        batcher.add([Entry(encoding(3), soon())])
    assert caught.value.retry_after >= 1
    kernel.gate.set()
    assert batcher.wait(queued, RequestContext(soon()))[0] == 2
    last = Entry(encoding(4), soon())
    batcher.add([last])
    assert batcher.wait(last, RequestContext(soon()))[0] == 4
    batcher.close()


def add_until_refused(batcher: Batcher) -> list[Entry]:
    added: list[Entry] = []
    for _ in range(1000):
        entry = Entry(encoding(2, 64), soon())
        try:
            batcher.add([entry])
        except Overloaded:
            return added
        added.append(entry)
    pytest.fail("the queue has no end")


def test_when_the_queue_gets_too_slow_the_latest_are_told_so_and_the_first_are_answered() -> None:
    kernel = Kernel()
    batcher = make(kernel, queue_tokens=1 << 20, queue_seconds=0.2)
    hold(batcher, kernel)
    long = [Entry(encoding(7, 8), soon()) for _ in range(40)]
    batcher.add(long)  # one call with turns to come, the first of which is next
    late = add_until_refused(batcher)
    kernel.gate.set()
    assert [batcher.wait(entry, RequestContext(soon()))[0] for entry in long] == [7] * 40
    outcomes = []
    for entry in late:
        entry.done.wait(10)
        outcomes.append(entry.error)
    assert outcomes[0] is None
    assert isinstance(outcomes[-1], Overloaded)
    assert batcher.queued_tokens == 0
    batcher.close()


def test_expired_and_abandoned_entries_never_run() -> None:
    kernel = Kernel()
    batcher = make(kernel)
    hold(batcher, kernel)
    expired, abandoned, wanted = (Entry(encoding(n), soon()) for n in (20, 30, 40))
    expired.deadline = time.monotonic() + 0.01
    batcher.add([expired, abandoned, wanted])
    batcher.remove_waiter(abandoned)
    with pytest.raises(DeadlineExceeded):
        batcher.wait(expired, RequestContext(expired.deadline))
    kernel.gate.set()
    assert batcher.wait(wanted, RequestContext(soon()))[0] == 40
    assert kernel.batches == [[1], [1]]
    assert batcher.counts.expired == 2
    assert batcher.queued_tokens == 0
    batcher.close()


def test_a_client_that_hangs_up_stops_waiting_and_its_entry_never_runs() -> None:
    kernel = Kernel()
    batcher = make(kernel)
    hold(batcher, kernel)
    gone, wanted = Entry(encoding(20), soon()), Entry(encoding(40), soon())
    batcher.add([gone, wanted])
    began = time.monotonic()
    with pytest.raises(ClientDisconnected):
        batcher.wait(gone, RequestContext(soon(), lambda: time.monotonic() > began + 0.2))
    batcher.remove_waiter(gone)
    kernel.gate.set()
    assert batcher.wait(wanted, RequestContext(soon(), lambda: False))[0] == 40
    assert kernel.batches == [[1], [1]]
    batcher.close()


def test_an_entry_lives_as_long_as_one_of_its_waiters() -> None:
    kernel = Kernel()
    batcher = make(kernel)
    hold(batcher, kernel)
    entry = Entry(encoding(50), time.monotonic() + 0.01)
    batcher.add([entry])
    assert batcher.add_waiter(entry, soon())
    with pytest.raises(DeadlineExceeded):
        batcher.wait(entry, RequestContext.within(0.02))
    batcher.remove_waiter(entry)
    kernel.gate.set()
    assert batcher.wait(entry, RequestContext(soon()))[0] == 50
    batcher.close()


def test_close_finishes_what_is_queued_and_refuses_the_rest() -> None:
    kernel = Kernel()
    batcher = make(kernel)
    hold(batcher, kernel)
    entry = Entry(encoding(60), soon())
    batcher.add([entry])
    kernel.gate.set()
    batcher.close()
    assert batcher.wait(entry, RequestContext(soon()))[0] == 60
    assert not batcher.lost_a_worker  # it was told to end
    with pytest.raises(NotReady):
        batcher.add([Entry(encoding(1), soon())])
