"""The log as JSON, an object a line; imported when it is chosen."""

import logging
from typing import Any

from pythonjsonlogger.json import JsonFormatter

from structbert_lite.telemetry.logs import describe, request_id

NAMES = {"levelname": "level", "name": "logger", "exc_info": "exception"}


class LineFormatter(JsonFormatter):
    """`time` (UTC), `level`, `logger`, `message`, and whatever facts a record has beside its message."""

    def __init__(self) -> None:
        super().__init__("{levelname}{name}{message}", style="{", rename_fields=NAMES, timestamp="time")

    def process_log_record(self, log_data: dict[str, Any]) -> dict[str, Any]:
        facts: dict[str, Any] = log_data.pop("facts", {})
        mine = {"request_id": request_id.get()} if request_id.get() else {}
        return {"time": log_data.pop("time")} | log_data | mine | facts

    def formatException(self, ei: Any) -> str:  # noqa: N802
        return describe(ei[1]) if request_id.get() else logging.Formatter.formatException(self, ei)
