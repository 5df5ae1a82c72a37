import math
import threading

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from structbert_lite.cache.memory import OVERHEAD, MemoryCache, ModelOutput, make_key

COST = 32 + 8 + OVERHEAD


def get(cache: MemoryCache, key: bytes) -> ModelOutput | None:
    return cache.get_many([key], 2, math.inf).get(key)


def row(value: float) -> ModelOutput:
    return ModelOutput(np.array([value, -value], np.float32), truncated=False)


@given(st.lists(st.text(), min_size=1), st.lists(st.text(), min_size=1))
def test_keys_differ_when_anything_differs(a: list[str], b: list[str]) -> None:
    assert (make_key("m", tuple(a)) == make_key("m", tuple(b))) == (a == b)
    assert make_key("m", tuple(a)) != make_key("n", tuple(a))


def test_a_key_is_not_fooled_by_where_a_field_ends() -> None:
    assert make_key("m", ("ab", "c")) != make_key("m", ("a", "bc"))


def test_capacity_zero_keeps_nothing() -> None:
    cache = MemoryCache(0)
    cache.put(b"k" * 32, row(1))
    assert get(cache, b"k" * 32) is None
    assert (cache.size, len(cache)) == (0, 0)


class AgainstAModel(RuleBasedStateMachine):
    """The cache does what a list ordered by last use does."""

    ROOM = 3

    def __init__(self) -> None:
        super().__init__()
        self.cache = MemoryCache(self.ROOM * COST)
        self.model: list[tuple[bytes, float]] = []

    @rule(name=st.integers(0, 6), value=st.floats(0, 1, width=32))
    def put(self, name: int, value: float) -> None:
        key = make_key("m", (str(name),))
        self.cache.put(key, row(value))
        self.model = ([(k, v) for k, v in self.model if k != key] + [(key, value)])[-self.ROOM :]

    @rule(name=st.integers(0, 6))
    def get(self, name: int) -> None:
        key = make_key("m", (str(name),))
        known = dict(self.model)
        got = get(self.cache, key)
        assert (got is None) == (key not in known)
        if got is not None:
            assert got.values[0] == np.float32(known[key])
            self.model = [(k, v) for k, v in self.model if k != key] + [(key, known[key])]

    @invariant()
    def stays_within_its_size(self) -> None:
        assert len(self.cache) == len(self.model)
        assert self.cache.size == len(self.model) * COST <= self.cache.capacity


TestAgainstAModel = AgainstAModel.TestCase


def test_many_threads_leave_the_size_right() -> None:
    cache = MemoryCache(10 * COST)

    def work(seed: int) -> None:
        rng = np.random.default_rng(seed)
        for n in rng.integers(0, 40, 500):
            key = make_key("m", (str(n),))
            cache.put(key, row(float(n)))
            got = get(cache, key)
            assert got is None or got.values[0] == n

    threads = [threading.Thread(target=work, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert cache.size == len(cache) * COST <= cache.capacity
