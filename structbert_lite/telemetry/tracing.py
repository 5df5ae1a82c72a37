"""Traces as the rest of the server sees them; OpenTelemetry itself is imported only where they are on."""

from collections.abc import Mapping
from typing import Any, Protocol

from structbert_lite.errors import ConfigurationError
from structbert_lite.inference.observer import Observer


class Headers(Protocol):
    """A request's headers, whose names may be in capitals or not."""

    def get(self, key: str, /) -> str | None: ...


class Tracing(Protocol):
    """What happens to a request's trace; `observer` adds to it what the models do."""

    observer: Observer

    def begin(self, method: str, route: str, headers: Headers) -> Any:
        """A request's span, current in this thread until `end`."""

    def describe(self, begun: Any, facts: Mapping[str, Any]) -> None:
        """Puts what is known of the answer on the span."""

    def end(self, begun: Any) -> None:
        """Ends the span; the thread is free for another request."""

    def trace_id(self, begun: Any) -> str:
        """32 hexadecimal digits."""


def make_tracing(traces: str) -> Tracing | None:
    """What the setting `traces` asks for. Raises ConfigurationError where the packages for it are missing."""
    if traces == "off":
        return None
    try:
        from structbert_lite.telemetry.traces import OpenTelemetry, otlp_provider
    except ModuleNotFoundError as error:
        raise ConfigurationError(f"STRUCTBERT_TRACES={traces} needs requirements-otel.txt: {error}") from None
    return OpenTelemetry(otlp_provider())
