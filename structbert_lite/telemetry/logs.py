"""How the log is written: lines for people or JSON objects, and never with a user's text."""

import logging
import logging.config
import re
import time
import traceback
from contextvars import ContextVar
from typing import Any

from pythonjsonlogger.json import JsonFormatter

# The id of the request that this thread serves; empty outside of one.
request_id: ContextVar[str] = ContextVar("request_id", default="")
LEFT_OUT = "its message is left out, it may hold a user's text"
JSON_NAMES = {"levelname": "level", "name": "logger", "exc_info": "exception"}
QUOTE = re.compile("""['"]""")


def configure_logs(level: str, log_format: str) -> None:
    """Sets up the root logger and gunicorn's; `level` as in logging, `log_format` is text or json."""
    # No line of ours shows these, and every record would look them up.
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {
                "text": {"()": TextFormatter},
                "json": {"()": LineFormatter},
            },
            "filters": {"gunicorn": {"()": GunicornFilter}},
            "handlers": {
                "ours": {"class": "logging.StreamHandler", "formatter": log_format},
                "gunicorn": {"class": "logging.StreamHandler", "formatter": log_format, "filters": ["gunicorn"]},
            },
            "root": {"level": level.upper(), "handlers": ["ours"]},
            "loggers": {"gunicorn.error": {"level": level.upper(), "handlers": ["gunicorn"], "propagate": False}},
        }
    )


class TextFormatter(logging.Formatter):
    """One line, with what a record has beside its message as `name=value`."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")
        self._second = (0, "")  # the last one that was written, and how

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: N802
        second, written = self._second
        if second != int(record.created):
            second = int(record.created)
            written = time.strftime(self.default_time_format, time.localtime(second))
            self._second = second, written
        return f"{written},{int(record.msecs):03d}"

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802
        line = f"{record.asctime} {record.levelname} {record.name}: {record.message}"
        for name, value in getattr(record, "facts", {}).items():
            line += f" {name}={value}"
        return line

    def formatException(self, ei: Any) -> str:  # noqa: N802
        return describe(ei[1]) if request_id.get() else super().formatException(ei)


class LineFormatter(JsonFormatter):
    """An object a line: `time` (UTC), `level`, `logger`, `message`, and what a record has beside its message."""

    def __init__(self) -> None:
        super().__init__("{levelname}{name}{message}", style="{", rename_fields=JSON_NAMES, timestamp="time")

    def process_log_record(self, log_data: dict[str, Any]) -> dict[str, Any]:
        facts: dict[str, Any] = log_data.pop("facts", {})
        mine = {"request_id": request_id.get()} if request_id.get() else {}
        return {"time": log_data.pop("time")} | log_data | mine | facts

    def formatException(self, ei: Any) -> str:  # noqa: N802
        return describe(ei[1]) if request_id.get() else logging.Formatter.formatException(self, ei)


class GunicornFilter(logging.Filter):
    """Takes out what gunicorn repeats of a request that it cannot read: its line, a header, a piece of its body."""

    def filter(self, record: logging.LogRecord) -> bool:
        if record.msg == "%s %s":  # at debug level, method and path of each request
            return False
        if record.msg.startswith("Error handling request"):
            record.msg, record.args = "Error handling request", ()
            if record.exc_info:
                record.exc_text = describe(record.exc_info[1])
                record.exc_info = None
        if record.msg.startswith("Invalid request from ip="):
            record.msg = QUOTE.split(": ".join(record.msg.split(": ")[:2]))[0]
        if isinstance(record.args, tuple):
            record.args = tuple(type(a).__name__ if isinstance(a, Exception) else a for a in record.args)
        return True


def describe(error: BaseException | None) -> str:
    """The stack of an error and of those behind it: where, and of which class. No message, for it may quote a text."""
    parts: list[str] = []
    while error is not None:
        frames = "".join(traceback.format_tb(error.__traceback__))
        parts.append(f"Traceback (most recent call last):\n{frames}{type(error).__qualname__} ({LEFT_OUT})")
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return "\n\nwhich led to\n\n".join(reversed(parts))
