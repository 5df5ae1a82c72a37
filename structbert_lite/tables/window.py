"""Rows on their way, whatever file they come from."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, Protocol

# "json": anything, written as JSON where a table has no type for it.
Kind = Literal["text", "int", "float", "bool", "json", "vector"]
MAX_CHARACTERS = 8 << 20  # of one window, so that huge cells do not fill the memory


class Column(NamedTuple):
    """A column's name and what its cells hold; any cell may be empty (None)."""

    name: str
    kind: Kind


@dataclass(slots=True)
class Record:
    """One row by column name. `fault`: why it could not be read, empty where it could."""

    values: dict[str, Any]
    fault: str = ""


@dataclass(slots=True)
class Window:
    """Neighbouring rows, scored and written together. `batch`: the same rows as the format itself has them, if any."""

    records: list[Record] = field(default_factory=list)
    batch: Any = None


class Source(Protocol):
    """A file of rows. `columns` and `total` are None where only reading all of a stream would tell."""

    @property
    def columns(self) -> list[Column] | None: ...

    @property
    def total(self) -> int | None: ...

    def windows(self, size: int, skip: int) -> Iterator[Window]:
        """All rows but the first `skip`, in order, `size` at a time at the most; the same windows every time.

        Raises ValueError, with the row's number, where the file cannot be read any further.
        """


class Sink(Protocol):
    """Rows as bytes. What `head` and then `rows` gave, one behind the other, is what `finish` wants to find."""

    def head(self) -> bytes: ...

    def rows(self, window: Window, results: list[tuple[Any, ...]]) -> bytes:
        """The window's rows with their `results`, one value for each result column."""

    def finish(self, path: str) -> str:
        """The path of the finished file: `path` itself, or another that was made of it beside it."""


def group(records: Iterable[Record], size: int) -> Iterator[Window]:
    """Windows of `size` records, fewer where these hold more than MAX_CHARACTERS."""
    window, characters = Window(), 0
    for record in records:
        window.records.append(record)
        characters += sum(len(value) for value in record.values.values() if isinstance(value, str))
        if len(window.records) == size or characters >= MAX_CHARACTERS:
            yield window
            window, characters = Window(), 0
    if window.records:
        yield window
