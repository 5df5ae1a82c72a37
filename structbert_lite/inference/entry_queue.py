"""The queue of a batcher: deficit round robin. A request of many inputs has one micro-batch's worth in each round.

Without it a batch of 500 texts would keep everybody else waiting until it is done.
"""

import math
import threading
from bisect import insort
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from structbert_lite.inference.tokenizer import Encoding


@dataclass(eq=False, slots=True)
class Call:
    """The entries that were queued together. `begun`: one of them has been taken."""

    begun: bool = False


@dataclass(eq=False, slots=True)
class Entry:
    """One input on its way. Several callers may wait for it; it is dropped when all have left."""

    encoding: Encoding
    deadline: float  # the latest of its waiters'
    waiters: int = 1
    done: threading.Event = field(default_factory=threading.Event)
    row: NDArray[np.float32] | None = None
    error: Exception | None = None
    on_done: Callable[["Entry"], None] | None = None
    # Instants of time.monotonic, infinite before they come: queued, taken from the queue, done.
    queued: float = math.inf
    began: float = math.inf
    ended: float = math.inf
    round: int = 0
    call: Call = field(default_factory=Call)


def total_cost(entries: Iterable[Entry]) -> int:
    """Tokens that the model has to read for all of them."""
    return sum(entry.encoding.cost for entry in entries)


class EntryQueue:
    """Entries by round and arrival; `tokens` of all. A round is begun when the first of its entries is taken."""

    def __init__(self, quantum: int) -> None:
        """`quantum`: tokens of one call in each round."""
        self.tokens = 0
        self._entries: list[Entry] = []
        self._tokens_by_round: Counter[int] = Counter()
        self._quantum = quantum
        self._round = 0

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._entries)

    @property
    def tokens_ahead(self) -> int:
        """What is run before the first entry of a call that comes now."""
        return self._tokens_by_round[self._round] + self._tokens_by_round[self._round + 1]

    def add(self, entries: list[Entry]) -> None:
        call, tokens = Call(), 0
        for entry in entries:
            entry.call, entry.round = call, self._round + 1 + tokens // self._quantum
            tokens += entry.encoding.cost
            self._count(entry, 1)
            if self._entries and self._entries[-1].round > entry.round:
                insort(self._entries, entry, key=lambda other: other.round)
            else:
                self._entries.append(entry)

    def first(self, count: int) -> list[Entry]:
        return list(islice(self._entries, count))

    def take(self, batch: list[Entry]) -> None:
        """Removes `batch`, which begins with the first entry."""
        self._round = max(self._round, batch[0].round)
        for entry in batch:
            entry.call.begun = True
        self.remove(batch)

    def remove(self, entries: list[Entry]) -> None:
        gone = set(map(id, entries))
        self._entries = [entry for entry in self._entries if id(entry) not in gone]
        for entry in entries:
            self._count(entry, -1)

    def _count(self, entry: Entry, sign: int) -> None:
        size = sign * entry.encoding.cost
        self.tokens += size
        self._tokens_by_round[entry.round] += size
        if not self._tokens_by_round[entry.round]:
            del self._tokens_by_round[entry.round]
