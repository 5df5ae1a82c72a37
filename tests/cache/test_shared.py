"""A real Redis that fails in every way we know of: each is a miss and a count, soon, and never a wrong row."""

import logging
import math
import socket
import threading
import time
from collections.abc import Callable
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
import pytest

from structbert_lite.cache.background import WriteBehind
from structbert_lite.cache.memory import ModelOutput, make_key
from structbert_lite.cache.redis_store import RedisStore
from structbert_lite.cache.shared import SharedCache, pack_output
from tests.redis_server import RedisServer, free_port

Share = Callable[..., SharedCache]


def key_of(n: int) -> bytes:
    return make_key("m", (str(n),))


def row_of(n: int) -> ModelOutput:
    return ModelOutput(np.array([n, n / 3, -n], np.float32), truncated=n % 2 == 1)


def name_of(n: int) -> str:
    return f"structbert:row:{key_of(n).hex()}"


def is_right(shared: SharedCache, n: int) -> bool:
    """Whether the row is there; a wrong one fails the test."""
    row = shared.get_many([key_of(n)], 3, math.inf).get(key_of(n))
    if row is None:
        return False
    assert row.values.tobytes() == row_of(n).values.tobytes()
    assert row.truncated == (n % 2 == 1)
    return True


def put(shared: SharedCache, *numbers: int) -> None:
    for n in numbers:
        shared.put(key_of(n), row_of(n))
    assert shared.flush(20)


def wait_until(condition: Callable[[], bool], seconds: float = 20) -> None:
    give_up = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < give_up, "it did not come true"
        time.sleep(0.01)


def errors(shared: SharedCache) -> dict[str, int]:
    return dict(+shared.counts.errors)


def test_killed_and_started_again_under_load(redis_server: RedisServer, share: Share) -> None:
    replicas = [share(redis_server.url) for _ in range(2)]
    done = threading.Event()
    failures: list[Exception] = []
    finds = [0] * 6

    def work(worker: int) -> None:
        numbers = np.random.default_rng(worker)
        try:
            while not done.is_set():
                shared, n = replicas[worker % 2], int(numbers.integers(0, 50))
                if is_right(shared, n):
                    finds[worker] += 1
                else:
                    shared.put(key_of(n), row_of(n))
                time.sleep(0.001)
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(6)]
    for thread in threads:
        thread.start()
    for _ in range(3):
        before = sum(finds)
        wait_until(lambda before=before: sum(finds) > before + 200)
        redis_server.kill()
        wait_until(lambda: all(shared.is_out for shared in replicas))
        redis_server.start()
        wait_until(lambda: not any(shared.is_out for shared in replicas))
    before = sum(finds)
    wait_until(lambda: sum(finds) > before + 200)
    done.set()
    for thread in threads:
        thread.join()
    assert not failures
    for shared in replicas:
        assert errors(shared)["unreachable"] >= 3
        assert errors(shared).keys() <= {"unreachable", "dropped", "timeout"}


def test_a_server_that_hangs_costs_one_wait_and_not_one_a_request(redis_server: RedisServer, share: Share) -> None:
    shared = share(redis_server.url, timeout=1, retry=0.3)
    put(shared, 1)
    assert is_right(shared, 1)
    redis_server.stop()
    started = time.monotonic()
    assert not any(is_right(shared, 1) for _ in range(2000))
    assert time.monotonic() - started < 10  # 2000 waits would be 2000 seconds
    assert errors(shared)["timeout"] >= 1
    time.sleep(1.5)  # probes while it hangs do not bring it back
    assert shared.is_out
    redis_server.go_on()
    wait_until(lambda: not shared.is_out)
    assert is_right(shared, 1)


def test_no_request_waits_longer_than_its_own_deadline_allows(redis_server: RedisServer, share: Share) -> None:
    shared = share(redis_server.url, timeout=5)
    put(shared, 1)
    redis_server.stop()
    started = time.monotonic()
    assert shared.get_many([key_of(1)], 3, started + 2) == {}
    assert time.monotonic() - started < 2
    assert not shared.is_out  # the request was short of time: that says nothing about the server
    assert shared.get_many([key_of(1)], 3, started - 1) == {}
    redis_server.go_on()


def test_a_full_server_still_gives_what_it_has(tmp_path: Path, share: Share) -> None:
    server = RedisServer(tmp_path, "--maxmemory-policy", "noeviction")
    shared = share(server.url)
    put(shared, 1)
    server.client.config_set("maxmemory", 1)
    put(shared, 2, 3)
    assert errors(shared) == {"full": 2}
    assert is_right(shared, 1)
    assert not is_right(shared, 2)
    assert shared.acquire_leases([key_of(4)], 1000, math.inf) == {key_of(4)}  # nobody is known to compute it
    server.client.config_set("maxmemory", 0)
    put(shared, 2)
    assert is_right(shared, 2)
    server.kill()


def test_a_replica_that_may_not_be_written_to(tmp_path: Path, share: Share) -> None:
    server = RedisServer(tmp_path)
    shared = share(server.url)
    put(shared, 1)
    server.client.replicaof("127.0.0.1", free_port())
    put(shared, 2)
    assert errors(shared) == {"read_only": 1}
    assert is_right(shared, 1)
    server.kill()


OTHER_KEYS = pack_output(key_of(2), row_of(2))
RIGHT = pack_output(key_of(1), row_of(1))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"poison",
        RIGHT[:-1],
        RIGHT + b"\0",
        OTHER_KEYS,
        RIGHT[:17] + bytes(12),
        pack_output(key_of(1), ModelOutput(np.zeros(2, np.float32), truncated=False)),
        pack_output(key_of(1), ModelOutput(np.array([1, np.nan, 1], np.float32), truncated=False)),
        b"\x80\x04N.",
    ],
    ids=["empty", "text", "short", "long", "other key's", "other values", "other width", "not finite", "a pickle"],
)
def test_a_poisoned_value_is_a_miss_and_is_written_over(steady_redis: RedisServer, share: Share, data: bytes) -> None:
    shared = share(steady_redis.url)
    steady_redis.client.set(name_of(1), data)
    put(shared, 3)
    assert list(shared.get_many([key_of(3), key_of(1)], 3, math.inf)) == [key_of(3)]
    assert errors(shared) == {"poisoned": 1}
    assert (shared.counts.hits, shared.counts.misses) == (1, 1)
    put(shared, 1)
    assert is_right(shared, 1)


def test_data_of_another_type_is_a_miss_and_is_written_over(steady_redis: RedisServer, share: Share) -> None:
    shared = share(steady_redis.url)
    steady_redis.client.delete(name_of(1))
    steady_redis.client.rpush(name_of(1), "a list")
    assert not is_right(shared, 1)
    put(shared, 1)
    assert is_right(shared, 1)
    assert errors(shared) == {}


@pytest.mark.parametrize("given", ["wrong", ""], ids=["wrong", "none"])
def test_a_password_that_is_refused(tmp_path: Path, share: Share, given: str, caplog: pytest.LogCaptureFixture) -> None:
    server = RedisServer(tmp_path, password="right-one")
    with caplog.at_level(logging.DEBUG):
        shared = share(server.url.replace("right-one", given) if given else f"redis://127.0.0.1:{server.port}")
        assert not is_right(shared, 1)
        assert shared.is_out
        assert errors(shared).keys() == {"refused"}
        assert server.url.split("@")[1].split("/")[0] not in caplog.text
        assert "wrong" not in caplog.text
    server.client.config_set("requirepass", given)
    server.client.close()
    wait_until(lambda: not shared.is_out)
    put(shared, 1)
    assert is_right(shared, 1)
    server.kill()


def test_a_user_who_may_not_read(redis_server: RedisServer, share: Share) -> None:
    redis_server.client.acl_setuser("app", enabled=True, passwords=["+pw"], keys=["other:*"], categories=["+@all"])
    shared = share(redis_server.url.replace("redis://", "redis://app:pw@"))
    assert not is_right(shared, 1)
    assert errors(shared) == {"refused": 1}
    assert shared.is_out  # a question that is always refused is not worth asking


def test_a_server_that_is_not_there(share: Share) -> None:
    shared = share(f"redis://127.0.0.1:{free_port()}", retry=60)
    put(shared, 1)
    wait_until(lambda: shared.is_out)
    put(shared, 2)
    assert not is_right(shared, 1)
    assert errors(shared) == {"unreachable": 1, "dropped": 2}


@contextmanager
def impostor(answer: Callable[[socket.socket], None]):
    """Something that listens where a Redis should."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                threading.Thread(target=_quietly, args=(answer, connection), daemon=True).start()

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"redis://127.0.0.1:{listener.getsockname()[1]}"
        listener.shutdown(socket.SHUT_RDWR)
    thread.join(10)


def _quietly(answer: Callable[[socket.socket], None], connection: socket.socket) -> None:
    with connection, suppress(OSError):
        answer(connection)


def drip(connection: socket.socket) -> None:
    """Never silent for as long as a time-out, and never done."""
    connection.recv(4096)
    for _ in range(200):
        connection.sendall(b"+")
        time.sleep(0.05)


def test_an_answer_in_drips_is_not_waited_for(share: Share) -> None:
    with impostor(drip) as url:
        shared = share(url, timeout=0.3, retry=60)
        started = time.monotonic()
        assert not is_right(shared, 1)
        assert time.monotonic() - started < 5
        assert shared.is_out
        assert errors(shared) == {"timeout": 1}


@pytest.mark.parametrize(
    "data", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\xff" * 64 + b"\r\n", b"*2\r\n$-1\r\n:x\r\n" * 9, b""]
)
def test_what_is_no_redis_at_all_is_an_outage(share: Share, data: bytes) -> None:
    def answer(connection: socket.socket) -> None:
        connection.recv(4096)
        connection.sendall(data * 9)

    with impostor(answer) as url:
        shared = share(url, retry=60)
        assert not is_right(shared, 1)
        assert shared.is_out
        assert sum(errors(shared).values()) == 1


def test_writes_that_come_too_fast_are_dropped_and_never_waited_for() -> None:
    go_on, written = threading.Event(), []

    def write(items: list[int]) -> None:
        go_on.wait(20)
        written.extend(items)

    writes: WriteBehind[int] = WriteBehind(write, capacity=10)
    started = time.monotonic()
    kept = [n for n in range(500) if writes.add(n)]
    assert time.monotonic() - started < 2
    assert 10 <= len(kept) < 500
    assert not writes.flush(0.01)
    go_on.set()
    writes.close(10)
    assert written == kept
    writes.close(10)  # a second time does no harm


def test_closing_writes_what_is_waiting(steady_redis: RedisServer, share: Share) -> None:
    shared = SharedCache(RedisStore(steady_redis.url, 1), 60, 1)
    for n in range(1000, 1300):
        shared.put(key_of(n), row_of(n))
    shared.close()
    assert all(steady_redis.client.exists(name_of(n)) for n in range(1000, 1300))
    assert not is_right(shared, 1000)  # closed: nothing is asked any more
    shared.put(key_of(1), row_of(1))
    shared.close()
