"""The cache as an encoder sees it: memory first, then what the replicas share, where they share something."""

from collections.abc import Callable, Iterable

from structbert_lite.runtime.cache import Cache, Row, TierCounts
from structbert_lite.runtime.claims import NOTHING, Claim, claim, wait_for_lost
from structbert_lite.runtime.shared_cache import SharedCache


class Tiers:
    """`memory`, and `shared` behind it or None. What the second has is kept in the first."""

    def __init__(self, memory: Cache, shared: SharedCache | None = None) -> None:
        self.memory = memory
        self.shared = shared

    @property
    def counts(self) -> dict[str, TierCounts]:
        """Totals by tier. What the first one misses is asked of the second."""
        return {"memory": self.memory.counts} | ({"redis": self.shared.counts} if self.shared else {})

    def get_many(
        self,
        keys: Iterable[bytes],
        width: int,
        deadline: float,
        on_lookup: Callable[[str, int, int], None] = lambda tier, hits, misses: None,
    ) -> dict[bytes, Row]:
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

    def put(self, key: bytes, row: Row) -> None:
        """Keeps `row` in every tier; returns before the shared one has it."""
        self.memory.put(key, row)
        if self.shared:
            self.shared.put(key, row)

    def claim(self, costs: dict[bytes, float], deadline: float) -> Claim:
        """Which keys of `costs` (seconds that each is going to take) other replicas are computing already."""
        return claim(self.shared, costs, deadline) if self.shared else NOTHING

    def wait(self, lost: dict[bytes, float], width: int, deadline: float) -> dict[bytes, Row]:
        """Rows of a claim's `lost` keys that came while it was worth waiting."""
        return self._keep(wait_for_lost(self.shared, lost, width, deadline)) if self.shared and lost else {}

    def release(self, claimed: Claim) -> None:
        """Lets others compute what was won and is not going to be computed here."""
        if self.shared:
            self.shared.release(claimed.won)

    def close(self) -> None:
        """Writes what is waiting to be written, for a second or two at the most."""
        if self.shared:
            self.shared.close()

    def _keep(self, rows: dict[bytes, Row]) -> dict[bytes, Row]:
        for key, row in rows.items():
            self.memory.put(key, row)
        return rows
