"""How often one client may ask: counted in memory, or in Redis for all replicas together."""

import ipaddress
import logging
import math
import time
from collections import Counter
from typing import TYPE_CHECKING

from flask import Flask, current_app, request

from structbert_lite.errors import ConfigurationError, RateLimited
from structbert_lite.web.request_telemetry import request_state

if TYPE_CHECKING:  # the library is imported only where there is a limit: it takes a tenth of a second of a start
    from limits import RateLimitItem
    from limits.storage import Storage
    from limits.strategies import SlidingWindowCounterRateLimiter

log = logging.getLogger(__name__)

# Endpoints that nobody is refused: probes and scrapers ask for ever, and a page has many files.
EXEMPT = {"static", "ui.static"}
EXEMPT_BLUEPRINTS = {"ops"}
# After a failure Redis is left alone for so long; a request must not pay a time-out each.
REST_SECONDS = 5.0
EXTENSION = "structbert_rate_limiter"


class RateLimiter:
    """`counts`: requests `refused`, and `failed` look-ups in Redis, after which a replica counts by itself."""

    def __init__(self, quota: str, redis_url: str = "", redis_timeout_ms: int = 100) -> None:
        """`quota` in the notation of the limits library: `600/minute`, or several, `10/second;600/minute`.

        Raises ConfigurationError for a URL that cannot be used. Redis is first spoken to by a request.
        """
        from limits import parse_many
        from limits.storage import MemoryStorage
        from limits.strategies import SlidingWindowCounterRateLimiter

        self.counts: Counter[str] = Counter()
        self._quotas = parse_many(quota)
        self._memory = SlidingWindowCounterRateLimiter(MemoryStorage())
        self._redis: SlidingWindowCounterRateLimiter | None = None
        self._rests_until = -math.inf
        if redis_url:
            self._redis = SlidingWindowCounterRateLimiter(_open(redis_url, redis_timeout_ms))

    @property
    def is_local(self) -> bool:
        """Whether `take` never waits for another machine."""
        return self._redis is None

    def take(self, client: str) -> None:
        """Counts one request of `client`. Raises RateLimited, with the seconds until one is allowed again."""
        for quota in self._quotas:
            wait = self._take(quota, client)
            if wait is not None:
                self.counts["refused"] += 1
                raise RateLimited(f"no more than {quota}, try again in {wait} s", wait)

    def _take(self, quota: "RateLimitItem", client: str) -> int | None:
        """Whole seconds to wait, or None where the request is allowed."""
        if self._redis is not None and time.monotonic() >= self._rests_until:
            try:
                return _hit(self._redis, quota, client)
            except Exception as error:  # the storage's library has many; none may refuse a request
                self._rests_until = time.monotonic() + REST_SECONDS
                self.counts["failed"] += 1
                log.warning("the rate limit is counted here alone for a while, Redis fails: %s", type(error).__name__)
        return _hit(self._memory, quota, client)


def limit_clients(app: Flask, limiter: RateLimiter) -> None:
    """Refuses whoever asks too often, with 429; `take_turn` does the same where a page shows its own error."""
    app.extensions[EXTENSION] = limiter
    app.before_request(_check)


def take_turn() -> None:
    """Counts the request at hand where there is a limit. Raises RateLimited."""
    limiter: RateLimiter | None = current_app.extensions.get(EXTENSION)
    if limiter is not None:
        limiter.take(name_client(request_state().api_key, request.remote_addr or ""))


def _check() -> None:
    if request.endpoint in EXEMPT or request.blueprint in EXEMPT_BLUEPRINTS | {"ui"}:
        return
    if request.method == "OPTIONS":  # a browser's preflight is not the client's question, and costs nothing
        return
    take_turn()


def name_client(api_key: int | None, address: str) -> str:
    """A client is the API key that was accepted, whoever uses it; without keys, an address.

    One IPv6 customer has 2**64 addresses, so these are told apart by their network.
    """
    if api_key:
        return f"key:{api_key}"
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return f"address:{address}"
    if isinstance(parsed, ipaddress.IPv6Address) and not parsed.ipv4_mapped:
        return f"address:{ipaddress.ip_network((parsed, 64), strict=False)}"
    return f"address:{getattr(parsed, 'ipv4_mapped', None) or parsed}"


def _hit(limiter: "SlidingWindowCounterRateLimiter", quota: "RateLimitItem", client: str) -> int | None:
    if limiter.hit(quota, client):
        return None
    return max(1, math.ceil(limiter.get_window_stats(quota, client).reset_time - time.time()))


def _open(url: str, timeout_ms: int) -> "Storage":
    from limits.errors import ConfigurationError as UnusableStorage
    from limits.storage import Storage, storage_from_string

    if url.startswith("unix://"):
        url = f"redis+{url}"
    seconds = timeout_ms / 1000
    options: dict[str, float | str | bool] = {
        "socket_timeout": seconds,
        "socket_connect_timeout": seconds,
        "key_prefix": "structbert:rate",
    }
    try:
        storage = storage_from_string(url, **options)
        if not isinstance(storage, Storage):  # async+redis://: its answers would have to be awaited
            raise UnusableStorage("only a storage without asyncio can be used here")
    except (UnusableStorage, ValueError) as error:  # its message may show the password
        raise ConfigurationError(
            f"STRUCTBERT_REDIS_URL cannot be used for the limit ({type(error).__name__}; see requirements-redis.txt)"
        ) from None
    return storage
