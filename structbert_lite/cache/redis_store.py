"""Redis, as far as the shared cache needs it. The only file that imports its library."""

import re
from collections.abc import Callable
from typing import TypeVar, cast
from urllib.parse import urlsplit

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from structbert_lite.cache.shared import Store, StoreError
from structbert_lite.errors import ConfigurationError

Value = TypeVar("Value")

# The first that fits: some of these are kinds of others.
REASONS = (
    (redis.exceptions.AuthenticationError, "refused"),
    (redis.exceptions.AuthorizationError, "refused"),
    (redis.exceptions.AuthenticationWrongNumberOfArgsError, "refused"),
    (redis.exceptions.NoPermissionError, "refused"),
    (redis.exceptions.TimeoutError, "timeout"),
    (redis.exceptions.ConnectionError, "unreachable"),
    (redis.exceptions.OutOfMemoryError, "full"),
    (redis.exceptions.ReadOnlyError, "read_only"),
)


class RedisStore(Store):
    """Redis as a Store. Connects when it is first used."""

    def __init__(self, url: str, timeout: float) -> None:
        """`timeout`: seconds for connecting and for each packet. Raises ConfigurationError for an unusable URL."""
        try:
            if not _is_database(url):
                raise ValueError
            self._client = redis.Redis.from_url(
                url,
                socket_timeout=timeout,
                socket_connect_timeout=timeout,
                retry=Retry(NoBackoff(), 0),  # the library's own retries would take seconds of a request
            )
            self._client.connection_pool.make_connection()  # knows its options, and does not connect yet
        except (
            ValueError,
            TypeError,
            AttributeError,
            redis.exceptions.RedisError,
        ):  # its message may show the password
            raise ConfigurationError(
                "STRUCTBERT_REDIS_URL cannot be used: it has to look like redis://[[USER]:PASSWORD@]HOST:PORT/NUMBER, "
                "rediss://... or unix://PATH, and behind a question mark only options that redis-py knows"
            ) from None

    def get_many(self, names: list[bytes]) -> list[bytes | None]:
        """As Store says, in one command. A value that is not a string, a list for example, is none."""
        # The library's types are at the same time those of its asyncio client.
        return cast("list[bytes | None]", _translate(lambda: self._client.mget(names)))

    def set_many(self, values: dict[bytes, bytes], seconds: int) -> list[str]:
        """As Store says, in one round trip."""
        pipeline = self._client.pipeline(transaction=False)
        for name, value in values.items():
            pipeline.set(name, value, ex=seconds)
        answers = _translate(lambda: pipeline.execute(raise_on_error=False))
        return [_reason(answer) for answer in answers if isinstance(answer, Exception)]

    def acquire_many(self, names: list[bytes], milliseconds: int) -> list[bool]:
        """As Store says, in one round trip."""
        pipeline = self._client.pipeline(transaction=False)
        for name in names:
            pipeline.set(name, b"", px=milliseconds, nx=True)
        answers = _translate(lambda: pipeline.execute(raise_on_error=False))
        return [answer is not None for answer in answers]  # a refusal does not tell that another has it

    def delete_many(self, names: list[bytes]) -> None:
        _translate(lambda: self._client.delete(*names))

    def close(self) -> None:
        self._client.close()


def _is_database(url: str) -> bool:
    """Whether the path, unless it is a socket's, is a database's number: redis-py takes any other for number 0."""
    parts = urlsplit(url)
    return parts.scheme == "unix" or re.fullmatch(r"(/\d*)?", parts.path) is not None


def _translate(ask: Callable[[], Value]) -> Value:
    try:
        return ask()
    except Exception as error:  # what a confused server sends may raise anything in the library's parser
        raise StoreError(_reason(error)) from None


def _reason(error: Exception) -> str:
    return next((reason for kind, reason in REASONS if isinstance(error, kind)), "other")
