"""What the shared cache needs of a server that keeps bytes under names, and how it can fail."""

from typing import Protocol

from structbert_lite.errors import BadSettings

# refused: password or permission; poisoned: bytes that are no row of this key; dropped: not written, because too much
# was waiting to be, or because the server was known to be out.
REASONS = ("timeout", "unreachable", "refused", "full", "read_only", "poisoned", "dropped", "other")


class StoreFailed(Exception):
    """A server did not do what it was asked. `reason` is one of REASONS."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Store(Protocol):
    """Bytes under names on one server, to be used from several threads. Every method may raise StoreFailed."""

    def get_many(self, names: list[bytes]) -> list[bytes | None]:
        """The value under each name, None where there is none."""

    def set_many(self, values: dict[bytes, bytes], seconds: int) -> list[str]:
        """Keeps `values` for `seconds`. Returns the reason of each one that was refused."""

    def claim_many(self, names: list[bytes], milliseconds: int) -> list[bool]:
        """Takes each name that is free, for `milliseconds`; False where another has it."""

    def forget_many(self, names: list[bytes]) -> None:
        """Removes whatever is under `names`."""

    def close(self) -> None:
        """Ends the connections."""


def make_store(url: str, timeout: float) -> Store | None:
    """The server at `url`, None where that is empty; connects when it is first used. `timeout` is in seconds.

    Raises BadSettings for an unusable URL, and where the package redis is not installed.
    """
    if not url:
        return None
    try:
        from structbert_lite.runtime.redis_cache import RedisStore
    except ImportError:
        raise BadSettings(
            "STRUCTBERT_REDIS_URL is set, but the package redis is not installed: pip install -r requirements-redis.txt"
        ) from None
    return RedisStore(url, timeout)
