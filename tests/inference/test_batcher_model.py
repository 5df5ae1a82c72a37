"""The batcher against a model of it: hypothesis queues, leaves, lets deadlines pass and finishes runs in any order.

One worker, whose kernel stops at the start of each run until the test lets it go on, so that the test always knows
what waits and what runs.
"""

import queue
import time
from dataclasses import dataclass

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from structbert_lite.errors import DeadlineExceeded, InferenceFailed, Overloaded
from structbert_lite.inference.batcher import Batcher
from structbert_lite.inference.entry_queue import Entry
from structbert_lite.inference.tokenizer import Encoding

POISON = -1
MAX_BATCH, BATCH_TOKENS, QUEUE_TOKENS = 4, 40, 120
PATIENCE = 10.0


class SteppedKernel:
    """Hands each run's entries to the test, then waits for its word. Fails on POISON; answers the entry's number."""

    def __init__(self) -> None:
        self.begun: queue.Queue[list[int]] = queue.Queue()
        self.go_on: queue.Queue[None] = queue.Queue()

    def __call__(self, encodings: list[Encoding]) -> np.ndarray:
        self.begun.put([encoding.ids[0] for encoding in encodings])
        self.go_on.get(timeout=PATIENCE)
        if any(POISON in encoding.ids for encoding in encodings):
            raise ValueError("poisoned")
        return np.array([[encoding.ids[0]] for encoding in encodings], np.float32)


@dataclass(eq=False)
class Item:
    """What the test knows of one entry."""

    number: int
    entry: Entry
    poisoned: bool
    round: int
    expired: bool = False
    left: bool = False

    @property
    def dead(self) -> bool:
        return self.expired or self.left

    def __len__(self) -> int:
        return len(self.entry.encoding)


class BatcherMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.kernel = SteppedKernel()
        self.batcher = Batcher(self.kernel, 1, MAX_BATCH, BATCH_TOKENS, QUEUE_TOKENS)
        self.waiting: list[Item] = []
        self.running: list[Item] = []
        self.round = 0
        self.numbers = iter(range(1, 1_000_000))

    @rule(lengths=st.lists(st.integers(1, 50), min_size=1, max_size=6), poisoned=st.integers(0, 5))
    def add(self, lengths: list[int], poisoned: int) -> None:
        full = self.batcher.queued_tokens >= QUEUE_TOKENS
        items = [
            self._item(length, i == poisoned and length > 1, self.round + 1 + sum(lengths[:i]) // BATCH_TOKENS)
            for i, length in enumerate(lengths)
        ]
        try:
            self.batcher.add([item.entry for item in items])
        except Overloaded:
            assert full
            return
        assert not full
        self.waiting += items
        if not self.running:  # nobody waits for company
            self._next_run()

    @precondition(lambda self: self.waiting)
    @rule(which=st.integers(0, 100), by_deadline=st.booleans())
    def give_up(self, which: int, by_deadline: bool) -> None:
        item = self.waiting[which % len(self.waiting)]
        if by_deadline:
            item.entry.deadline, item.expired = time.monotonic() - 1, True
        elif not item.left:
            self.batcher.remove_waiter(item.entry)
            item.left = True

    @precondition(lambda self: self.running)
    @rule()
    def finish_run(self) -> None:
        items, self.running = self.running, []
        self.kernel.go_on.put(None)
        if len(items) > 1 and any(item.poisoned for item in items):  # every one of them again, alone
            for item in items:
                assert self.kernel.begun.get(timeout=PATIENCE) == [item.number]
                self.kernel.go_on.put(None)
        for item in items:
            assert item.entry.done.wait(PATIENCE)
            if item.poisoned:
                assert isinstance(item.entry.error, InferenceFailed)
                assert item.entry.row is None
            else:
                assert item.entry.error is None
                assert item.entry.row.tolist() == [item.number]
        self._next_run()

    @invariant()
    def counts_what_waits(self) -> None:
        assert self.batcher.queued_tokens == sum(map(len, self.waiting))
        assert not self.batcher.lost_a_worker

    def teardown(self) -> None:
        while self.running:
            self.finish_run()
        self.batcher.close()
        assert self.batcher.queued_tokens == 0

    def _item(self, length: int, poisoned: bool, round_: int) -> Item:
        number = next(self.numbers)
        ids = [number, *[POISON if poisoned else 0] * (length - 1)]
        return Item(number, Entry(Encoding(ids, [0] * length, False), time.monotonic() + 100), poisoned, round_)

    def _next_run(self) -> None:
        """Waits until the worker has dropped the dead and begun its next run, and checks that run."""
        dead = [item for item in self.waiting if item.dead]
        alive = sorted((item for item in self.waiting if not item.dead), key=lambda item: (item.round, item.number))
        for item in dead:
            assert item.entry.done.wait(PATIENCE)
            assert isinstance(item.entry.error, DeadlineExceeded)
        self.waiting = alive
        if not alive:
            return
        self.round = max(self.round, alive[0].round)
        numbers = self.kernel.begun.get(timeout=PATIENCE)
        by_number = {item.number: item for item in alive}
        self.running = [by_number[number] for number in numbers]
        self.waiting = [item for item in alive if item not in self.running]
        assert len(set(numbers)) == len(numbers)
        assert numbers[0] == alive[0].number  # the oldest of its round is never passed over
        assert len(numbers) <= MAX_BATCH
        longest = max(map(len, self.running))
        assert len(numbers) == 1 or longest * len(numbers) <= BATCH_TOKENS
        if self.waiting and len(numbers) < MAX_BATCH:  # whoever was left behind is not nearer and does not fit
            first = len(alive[0])
            farthest = max(abs(len(item) - first) for item in self.running)
            nearest = min(self.waiting, key=lambda item: abs(len(item) - first))
            assert abs(len(nearest) - first) >= farthest
            assert max(longest, len(nearest)) * (len(numbers) + 1) > BATCH_TOKENS


TestBatcherMachine = BatcherMachine.TestCase
TestBatcherMachine.settings = settings(max_examples=60, stateful_step_count=25)
