"""What the cache had, told to whoever answers the request."""

from collections.abc import Callable

from structbert_lite.inference.observer import Observer


class Lookups(Observer):
    """Passes look-ups on to `note(tier, hits, misses)`, in the request's own thread, and nothing else."""

    def __init__(self, note: Callable[[str, int, int], None]) -> None:
        self._note = note

    def on_lookup(self, tier: str, hits: int, misses: int) -> None:
        self._note(tier, hits, misses)
