"""What the worker's loop asks before a thread has a request, and what it tells of those that no thread had."""

from structbert_lite.telemetry.metrics import Metrics

EXTENSION = "structbert_door"  # the worker finds it there (front/worker.py)


class Door:
    """Answers within microseconds: the loop waits for it."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def refuses(self, path: bytes) -> int:
        """Seconds after which a client may ask this path again; 0: it may ask now."""
        return 0

    def note(self, reason: str) -> None:
        """A request was answered with this error before the application saw it."""
        self._metrics.refusals.labels(reason).inc()
