"""What every tier does, and the tiers together; then what only the two together do."""

import math
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

from structbert_lite.cache.memory import MemoryCache, ModelOutput, make_key
from structbert_lite.cache.shared import SharedCache
from structbert_lite.cache.tiered import TieredCache, open_store
from structbert_lite.errors import ConfigurationError
from tests.redis_server import RedisServer


def key_of(n: int) -> bytes:
    return make_key("m", (f"第{n}句",))


def row_of(n: int, truncated: bool = False) -> ModelOutput:
    return ModelOutput(np.array([n / 7, -n / 3], np.float32), truncated)


class Tier:
    """One way to keep rows; `put` returns when they are there."""

    def __init__(self, cache: Any, shared: SharedCache | None) -> None:
        self.cache = cache
        self.shared = shared

    def put(self, key: bytes, row: ModelOutput) -> None:
        self.cache.put(key, row)
        assert self.shared is None or self.shared.flush(10)

    def get(self, *keys: bytes, width: int = 2) -> dict[bytes, ModelOutput]:
        return self.cache.get_many(keys, width, math.inf)


@pytest.fixture(params=["memory", "redis", "both"])
def tier(request: pytest.FixtureRequest, share: Callable[..., SharedCache]) -> Tier:
    if request.param == "memory":
        return Tier(MemoryCache(1 << 20), None)
    server = request.getfixturevalue("steady_redis")
    server.client.flushall()
    shared = share(server.url)
    return Tier(shared if request.param == "redis" else TieredCache(MemoryCache(1 << 20), shared), shared)


def test_what_was_put_comes_back_to_the_last_bit(tier: Tier) -> None:
    values = np.array([-0.0, 1e-45, np.pi, -3.4028235e38, 1 / 3], np.float32)
    for truncated in (False, True):
        tier.put(key_of(truncated), ModelOutput(values, truncated))
        got = tier.get(key_of(truncated), width=5)[key_of(truncated)]
        assert got.values.tobytes() == values.tobytes()
        assert got.values.dtype == np.float32
        assert got.truncated is truncated


def test_what_was_not_put_is_not_there(tier: Tier) -> None:
    tier.put(key_of(1), row_of(1))
    assert tier.get(key_of(2)) == {}
    assert tier.get() == {}
    assert list(tier.get(key_of(2), key_of(1), key_of(3))) == [key_of(1)]


def test_the_last_one_put_counts(tier: Tier) -> None:
    tier.put(key_of(1), row_of(1))
    tier.put(key_of(1), row_of(2, truncated=True))
    got = tier.get(key_of(1))[key_of(1)]
    assert got.truncated
    assert np.array_equal(got.values, row_of(2).values)


def test_more_keys_than_fit_into_one_question(tier: Tier) -> None:
    for n in range(1300):
        tier.cache.put(key_of(n), row_of(n))
    assert tier.shared is None or tier.shared.flush(10)
    got = tier.get(*map(key_of, range(1500)))
    assert len(got) == 1300
    assert all(np.array_equal(got[key_of(n)].values, row_of(n).values) for n in range(1300))


def test_many_threads_each_find_their_own(tier: Tier) -> None:
    def work(seed: int) -> int:
        found = 0
        for n in np.random.default_rng(seed).integers(0, 30, 40).tolist():
            tier.cache.put(key_of(n), row_of(n))
            keys = [key_of(n), key_of(n + 1)]
            got = tier.get(*keys)
            assert all(np.array_equal(got[key_of(m)].values, row_of(m).values) for m in (n, n + 1) if key_of(m) in got)
            found += len(got)
        return found

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(work, range(8))) > 0


def test_hits_and_misses_are_counted(tier: Tier) -> None:
    tier.put(key_of(1), row_of(1))
    tier.get(key_of(1), key_of(2), key_of(3))
    first = tier.cache.counts["memory"] if isinstance(tier.cache, TieredCache) else tier.cache.counts
    assert (first.hits, first.misses) == (1, 2)
    assert not +first.errors


def test_the_second_tier_is_asked_for_what_the_first_has_not(
    steady_redis: RedisServer, share: Callable[..., SharedCache]
) -> None:
    one, other = (TieredCache(MemoryCache(1 << 20), share(steady_redis.url)) for _ in range(2))
    one.put(key_of(-1), row_of(-1))
    one.put(key_of(-2), row_of(-2, truncated=True))
    assert one.shared.flush(10)
    for hits in (2, 2):  # the second time they are in memory
        got = other.get_many([key_of(-1), key_of(-2), key_of(-3)], 2, math.inf)
        assert list(got) == [key_of(-1), key_of(-2)]
        assert got[key_of(-1)].values.tobytes() == row_of(-1).values.tobytes()
        assert got[key_of(-2)].truncated
        assert other.counts["redis"].hits == hits
    assert other.counts["memory"].hits == 2
    assert other.counts["redis"].misses == 2  # the third key, twice


def test_rows_are_kept_for_the_time_that_was_said(steady_redis: RedisServer, share: Callable[..., SharedCache]) -> None:
    shared = share(steady_redis.url, ttl=77)
    shared.put(key_of(-4), row_of(-4))
    assert shared.flush(10)
    assert 70 < steady_redis.client.ttl("structbert:row:" + key_of(-4).hex()) <= 77


def test_without_a_server_there_is_memory_alone() -> None:
    tiers = TieredCache(MemoryCache(1 << 20))
    assert list(tiers.counts) == ["memory"]
    assert tiers.acquire_leases({key_of(1): 9.0}, math.inf).elsewhere == {}
    tiers.close()


def test_a_missing_package_is_told_with_its_cure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "redis", None)
    monkeypatch.delitem(sys.modules, "structbert_lite.cache.redis_store", raising=False)
    assert open_store("", 1) is None
    with pytest.raises(ConfigurationError, match=r"pip install -r requirements-redis\.txt"):
        open_store("redis://127.0.0.1", 1)


@pytest.mark.parametrize(
    "url",
    [
        *("http://127.0.0.1:secret", "redis://:secret@127.0.0.1:port", "secret"),
        *("redis://:secret@127.0.0.1/cache", "redis://:secret@127.0.0.1/0/1", "redis://:secret@127.0.0.1/x?db=1"),
        *("redis://:secret@127.0.0.1/0?no_such_option=1", "redis://127.0.0.1/0?max_connections=secret"),
        *("redis://:secret@127.0.0.1/0?db=x", "redis://:secret@127.0.0.1/0?ssl_cert_reqs=none"),
    ],
)
def test_an_unusable_address_is_told_without_its_password(url: str) -> None:
    with pytest.raises(ConfigurationError, match="STRUCTBERT_REDIS_URL cannot be used") as caught:
        open_store(url, 1)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        *(
            "redis://127.0.0.1",
            "redis://127.0.0.1/",
            "redis://:p@[::1]:6379/3",
            "rediss://127.0.0.1/0?ssl_cert_reqs=none",
        ),
        *("unix:///tmp/redis.sock?db=2", "redis://127.0.0.1/0?health_check_interval=30&socket_keepalive=true"),
    ],
)
def test_addresses_that_redis_knows_are_taken(url: str) -> None:
    open_store(url, 1).close()
