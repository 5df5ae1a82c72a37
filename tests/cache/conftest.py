"""A Redis, and caches that share it."""

from collections.abc import Callable, Iterator

import pytest

from structbert_lite.cache.redis_store import RedisStore
from structbert_lite.cache.shared import SharedCache
from tests.redis_server import RedisServer


@pytest.fixture(scope="session")
def steady_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """One for tests that only read and write."""
    server = RedisServer(tmp_path_factory.mktemp("redis"))
    yield server
    server.kill()


@pytest.fixture
def share() -> Iterator[Callable[..., SharedCache]]:
    """Makes caches on a URL. Waits are longer than a server's default, so that a busy machine is no outage."""
    made = []

    def make(url: str, timeout: float = 5, retry: float = 0.1, ttl: int = 60) -> SharedCache:
        made.append(SharedCache(RedisStore(url, timeout), ttl, timeout, retry))
        return made[-1]

    yield make
    for shared in made:
        shared.close()
