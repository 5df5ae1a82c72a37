"""What the runtime tells an observer, and when."""

import inspect
import time
from pathlib import Path
from unittest.mock import Mock

import pytest

from structbert_lite.cache.memory import MemoryCache
from structbert_lite.cache.tiered import TieredCache
from structbert_lite.errors import DeadlineExceeded, InferenceFailed, Overloaded
from structbert_lite.inference.batcher import Batcher, FairSemaphore
from structbert_lite.inference.entry_queue import Entry
from structbert_lite.inference.model import Model
from structbert_lite.inference.observer import Observer, Observers
from structbert_lite.inference.runner import Limits, ServingRunner
from structbert_lite.request_context import RequestContext
from tests.inference.test_batcher import POISON, Kernel, encoding, hold, make, soon

EVENTS = [name for name in vars(Observer) if name.startswith("on_")]


class Notes(Observer):
    """Remembers what it was told, in order."""

    def __init__(self) -> None:
        self.told: list[tuple] = []
        for name in EVENTS:
            setattr(self, name, lambda *facts, name=name: self.told.append((name, *facts)))

    def of(self, name: str) -> list[tuple]:
        return [facts for event, *facts in self.told if event == name]


@pytest.fixture
def notes() -> Notes:
    return Notes()


def close(batcher: Batcher, kernel: Kernel) -> None:
    kernel.gate.set()
    batcher.close()


def test_the_queue_is_told_as_it_grows_and_shrinks(notes: Notes) -> None:
    kernel = Kernel()
    batcher = make(kernel, observer=notes)
    hold(batcher, kernel)
    batcher.add([Entry(encoding(2, 3), soon()), Entry(encoding(3, 5), soon())])
    time.sleep(0.02)
    close(batcher, kernel)
    assert notes.of("on_queue") == [[1, 1], [0, 0], [2, 8], [0, 0]]
    (alone, together) = notes.of("on_batch")
    assert alone[1:] == [1, 1]
    assert together[1:] == [8, 10]
    assert len(together[0]) == 2
    assert all(wait >= 0.02 for wait in together[0])
    assert notes.of("on_unanswered") == []


def test_what_gets_no_answer_is_told_with_the_reason(notes: Notes) -> None:
    kernel = Kernel()
    batcher = make(kernel, queue_tokens=4, observer=notes)
    hold(batcher, kernel)
    late, poisoned = Entry(encoding(2, 2), time.monotonic() + 0.01), Entry(encoding(POISON, 2), soon())
    batcher.add([late, poisoned])
    with pytest.raises(Overloaded):
        batcher.add([Entry(encoding(1), soon()), Entry(encoding(1), soon())])
    time.sleep(0.02)
    kernel.gate.set()
    with pytest.raises(DeadlineExceeded):
        batcher.wait(late, RequestContext(soon()))
    with pytest.raises(InferenceFailed):
        batcher.wait(poisoned, RequestContext(soon()))
    batcher.close()
    assert notes.of("on_unanswered") == [["refused", 2], ["expired", 1], ["failed", 1]]
    assert notes.of("on_queue")[-1] == [0, 0]


def test_a_runner_tells_each_stage_of_a_call_in_order(model_folder: Path, notes: Notes) -> None:
    limits = Limits(threads=1, max_batch=8, batch_tokens=128, queue_tokens=1000)
    model = Model.load(model_folder)
    runner = ServingRunner(model, limits, TieredCache(MemoryCache(1 << 20)), FairSemaphore(1), notes)
    assert notes.told == []  # the look at the model's width is no inference that anybody asked for
    began = time.monotonic()
    runner.run([("好",), ("好",), ("很好",)], RequestContext(soon()))
    ended = time.monotonic()
    runner.run([("好",), ("不好",)], RequestContext(soon()))
    runner.close()
    assert notes.of("on_lookup") == [["memory", 0, 2], ["memory", 1, 1]]
    (inputs, start, stop), _ = notes.of("on_tokenize")
    assert inputs == 2
    (answered, queued, taken, done), _ = notes.of("on_answer")
    assert answered == 2
    assert began <= start <= stop <= queued <= taken <= done <= ended
    assert sum(len(waits) for waits, *_ in notes.of("on_batch")) == 3
    assert all(slot >= 0 and inference > 0 for slot, inference in notes.of("on_run"))
    assert len(notes.of("on_run")) == len(notes.of("on_batch"))
    assert notes.of("on_cache")[-1][0] == 3


def test_observers_tell_each_of_them_everything() -> None:
    first, second = Mock(spec=Observer), Mock(spec=Observer)
    both = Observers(first, second)
    for name in EVENTS:
        facts = list(range(len(inspect.signature(getattr(Observer, name)).parameters) - 1))
        getattr(both, name)(*facts)
        for observer in (first, second):
            getattr(observer, name).assert_called_once_with(*facts)
