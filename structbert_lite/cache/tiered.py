"""The cache as a runner sees it: memory first, then what the replicas share, where they share something.

Replicas that share a cache compute identical inputs once, by leases (a distributed single flight). Who comes first
takes a lease on an input; who comes second waits for the output. A lease is a hint: it ends by itself, and everybody
who has waited long enough computes. So nothing but time can be lost, and little of that: only work worth more than
WORTH_A_LEASE seconds is leased, and nobody waits longer for an output than its computation takes.
"""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import islice

from structbert_lite.cache.memory import MemoryCache, ModelOutput, TierStats
from structbert_lite.cache.shared import KEYS_AT_ONCE, SharedCache, Store
from structbert_lite.errors import ConfigurationError
from structbert_lite.request_context import RequestContext

# A lease costs one more question to the server, some tenths of a millisecond in the same data centre.
WORTH_A_LEASE = 0.02
LONGEST_WAIT = 2.0
LONGEST_LEASE = 10.0


@dataclass(frozen=True, slots=True)
class Leases:
    """`acquired` are the caller's to compute; `elsewhere` others compute, each in about so many seconds."""

    acquired: frozenset[bytes] = frozenset()
    elsewhere: dict[bytes, float] = field(default_factory=dict)


NO_LEASES = Leases()


class TieredCache:
    """`memory`, and `shared` behind it or None. What the second has is kept in the first."""

    def __init__(self, memory: MemoryCache, shared: SharedCache | None = None) -> None:
        self.memory = memory
        self.shared = shared

    @property
    def counts(self) -> dict[str, TierStats]:
        """Totals by tier. What the first one misses is asked of the second."""
        return {"memory": self.memory.counts} | ({"redis": self.shared.counts} if self.shared else {})

    def get_many(
        self,
        keys: Iterable[bytes],
        width: int,
        deadline: float,
        on_lookup: Callable[[str, int, int], None] = lambda tier, hits, misses: None,
    ) -> dict[bytes, ModelOutput]:
        """The rows of `width` values that a tier has. Raises nothing, and keeps `deadline`.

        `on_lookup` is told each tier that was asked, its hits and its misses.
        """
        keys = list(keys)
        rows = self.memory.get_many(keys, width, deadline)
        missing = [key for key in keys if key not in rows]
        on_lookup("memory", len(rows), len(missing))
        if self.shared and missing:
            found = self.shared.get_many(missing, width, deadline)
            on_lookup("redis", len(found), len(missing) - len(found))
            rows |= self._keep(found)
        return rows

    def put(self, key: bytes, row: ModelOutput) -> None:
        """Keeps `row` in every tier; returns before the shared one has it."""
        self.memory.put(key, row)
        if self.shared:
            self.shared.put(key, row)

    def acquire_leases(self, costs: dict[bytes, float], deadline: float) -> Leases:
        """Which keys of `costs` (seconds that each is going to take) other replicas are computing already."""
        return acquire_leases(self.shared, costs, deadline) if self.shared else NO_LEASES

    def wait(self, elsewhere: dict[bytes, float], width: int, context: RequestContext) -> dict[bytes, ModelOutput]:
        """Outputs of the keys leased `elsewhere` that came while it was worth waiting."""
        if not self.shared or not elsewhere:
            return {}
        return self._keep(wait_for_leased(self.shared, elsewhere, width, context))

    def release(self, leases: Leases) -> None:
        """Lets others compute what was leased and is not going to be computed here."""
        if self.shared:
            self.shared.release_leases(leases.acquired)

    def close(self) -> None:
        """Writes what is waiting to be written, for a second or two at the most."""
        if self.shared:
            self.shared.close()

    def _keep(self, rows: dict[bytes, ModelOutput]) -> dict[bytes, ModelOutput]:
        for key, row in rows.items():
            self.memory.put(key, row)
        return rows


def acquire_leases(shared: SharedCache, costs: dict[bytes, float], deadline: float) -> Leases:
    """Leases the keys of `costs`, the seconds that computing each is going to take.

    Nothing is acquired, and nothing waited for, where the work is not worth it or the server does not answer.
    """
    total = sum(costs.values())
    if total < WORTH_A_LEASE:
        return NO_LEASES
    milliseconds = int(1000 * min(LONGEST_LEASE, 3 * total)) + 100  # it may have to queue first
    asked = dict(islice(costs.items(), KEYS_AT_ONCE))
    acquired = shared.acquire_leases(list(asked), milliseconds, deadline)
    if acquired is None:
        return NO_LEASES
    return Leases(frozenset(acquired), {key: seconds for key, seconds in asked.items() if key not in acquired})


def wait_for_leased(
    shared: SharedCache, elsewhere: dict[bytes, float], width: int, context: RequestContext
) -> dict[bytes, ModelOutput]:
    """The rows of `elsewhere` that others wrote while it was worth waiting; leaves time to compute the rest."""
    total = sum(elsewhere.values())
    pause = min(0.05, max(0.005, total / 10))
    give_up = min(time.monotonic() + min(total, LONGEST_WAIT), context.deadline - total)
    found: dict[bytes, ModelOutput] = {}
    left = list(elsewhere)
    while left and time.monotonic() + pause < give_up and not context.cancelled():
        time.sleep(pause)
        # Leases before outputs: one that is gone without a row was given up, and there is nothing to wait for.
        held = shared.leased(left, context.deadline)
        found |= shared.look(left, width, context.deadline)
        left = [key for key in left if key in held and key not in found]
    return found


def open_store(url: str, timeout: float) -> Store | None:
    """The server at `url`, None where that is empty; connects when it is first used. `timeout` is in seconds.

    Raises ConfigurationError for an unusable URL, and where the package redis is not installed.
    """
    if not url:
        return None
    try:
        from structbert_lite.cache.redis_store import RedisStore
    except ImportError:
        raise ConfigurationError(
            "STRUCTBERT_REDIS_URL is set, but the package redis is not installed: pip install -r requirements-redis.txt"
        ) from None
    return RedisStore(url, timeout)
