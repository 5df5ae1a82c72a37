"""One computation across replicas, and that waiting for another's never costs more than computing."""

import math
import threading
import time
from collections.abc import Callable

import numpy as np
import pytest

from structbert_lite.cache.memory import ModelOutput, make_key
from structbert_lite.cache.shared import SharedCache
from structbert_lite.cache.tiered import NO_LEASES, WORTH_A_LEASE, acquire_leases, wait_for_leased
from structbert_lite.inference.runner import TokenRate
from structbert_lite.request_context import RequestContext
from tests.redis_server import RedisServer

ROW = ModelOutput(np.array([1, 2], np.float32), truncated=False)


@pytest.fixture
def keys(request: pytest.FixtureRequest) -> list[bytes]:
    """Keys of this test's own."""
    return [make_key(request.node.name, (str(n),)) for n in range(4)]


@pytest.fixture
def two(steady_redis: RedisServer, share: Callable[..., SharedCache]) -> tuple[SharedCache, SharedCache]:
    return share(steady_redis.url), share(steady_redis.url)


def test_who_comes_first_wins_and_who_comes_second_is_told(two: tuple, keys: list[bytes]) -> None:
    a, b = two
    first = acquire_leases(a, dict.fromkeys(keys[:3], 1.0), math.inf)
    second = acquire_leases(b, dict.fromkeys(keys[1:], 2.0), math.inf)
    assert (first.acquired, first.elsewhere) == (set(keys[:3]), {})
    assert (second.acquired, second.elsewhere) == ({keys[3]}, {keys[1]: 2.0, keys[2]: 2.0})


def test_of_many_exactly_one_wins(two: tuple, keys: list[bytes]) -> None:
    wins = []
    start = threading.Barrier(8)

    def work(shared: SharedCache) -> None:
        start.wait()
        wins.extend(acquire_leases(shared, {keys[0]: 1.0}, math.inf).acquired)

    threads = [threading.Thread(target=work, args=(two[i % 2],)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wins == [keys[0]]


def test_cheap_work_is_not_leased(two: tuple, keys: list[bytes], steady_redis: RedisServer) -> None:
    asked = steady_redis.client.info("stats")["total_commands_processed"]
    assert acquire_leases(two[0], dict.fromkeys(keys, WORTH_A_LEASE / 5), math.inf) is NO_LEASES
    assert acquire_leases(two[0], {}, math.inf) is NO_LEASES
    assert steady_redis.client.info("stats")["total_commands_processed"] == asked + 1  # the question itself


def test_the_row_is_there_as_soon_as_the_other_has_it(two: tuple, keys: list[bytes]) -> None:
    a, b = two
    acquire_leases(a, {keys[0]: 5.0}, math.inf)
    elsewhere = acquire_leases(b, {keys[0]: 5.0}, math.inf).elsewhere
    timer = threading.Timer(0.3, a.put, (keys[0], ROW))
    timer.start()
    started = time.monotonic()
    got = wait_for_leased(b, elsewhere, 2, RequestContext())
    assert got[keys[0]].values.tobytes() == ROW.values.tobytes()
    assert 0.2 < time.monotonic() - started < 2
    timer.join()


def test_nobody_waits_longer_than_computing_takes(two: tuple, keys: list[bytes]) -> None:
    a, b = two
    acquire_leases(a, {keys[0]: 60.0}, math.inf)  # and then it dies
    elsewhere = acquire_leases(b, {keys[0]: 0.2}, math.inf).elsewhere
    started = time.monotonic()
    assert wait_for_leased(b, elsewhere, 2, RequestContext()) == {}
    assert time.monotonic() - started < 1.5  # the lease itself lasts ten seconds


def test_time_to_compute_before_the_deadline_is_left(two: tuple, keys: list[bytes]) -> None:
    a, b = two
    acquire_leases(a, {keys[0]: 1.5}, math.inf)
    elsewhere = acquire_leases(b, {keys[0]: 1.5}, math.inf).elsewhere
    started = time.monotonic()
    assert wait_for_leased(b, elsewhere, 2, RequestContext(started + 1.7)) == {}
    assert time.monotonic() - started < 1.2


def test_a_lease_given_up_is_not_waited_for(two: tuple, keys: list[bytes]) -> None:
    a, b = two
    acquire_leases(a, {keys[0]: 5.0}, math.inf)
    elsewhere = acquire_leases(b, {keys[0]: 5.0}, math.inf).elsewhere
    a.release_leases([keys[0]])
    started = time.monotonic()
    assert wait_for_leased(b, elsewhere, 2, RequestContext()) == {}
    assert time.monotonic() - started < 1.5
    assert acquire_leases(b, {keys[0]: 5.0}, math.inf).acquired == {keys[0]}


def test_a_lease_ends_by_itself(two: tuple, keys: list[bytes], steady_redis: RedisServer) -> None:
    acquire_leases(two[0], {keys[0]: 0.1}, math.inf)
    name = "structbert:claim:" + keys[0].hex()
    assert 0 < steady_redis.client.pttl(name) <= 400
    acquire_leases(two[0], {keys[1]: 1e6}, math.inf)
    assert 0 < steady_redis.client.pttl("structbert:claim:" + keys[1].hex()) <= 10_100


def test_an_outage_ends_the_waiting(
    redis_server: RedisServer, share: Callable[..., SharedCache], keys: list[bytes]
) -> None:
    a, b = share(redis_server.url), share(redis_server.url, retry=60)
    acquire_leases(a, {keys[0]: 30.0}, math.inf)
    elsewhere = acquire_leases(b, {keys[0]: 30.0}, math.inf).elsewhere
    threading.Timer(0.2, redis_server.kill).start()
    started = time.monotonic()
    assert wait_for_leased(b, elsewhere, 2, RequestContext()) == {}
    assert time.monotonic() - started < 1.5
    assert acquire_leases(b, {keys[0]: 30.0}, math.inf) is NO_LEASES


def test_the_rate_follows_what_is_measured() -> None:
    rate = TokenRate()
    assert rate.seconds_per_token == 0
    rate.record(100, 1)
    assert rate.seconds_per_token == pytest.approx(0.01)
    for _ in range(100):
        rate.record(10, 0.5)
    assert rate.seconds_per_token == pytest.approx(0.05, rel=0.01)
