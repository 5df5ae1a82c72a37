"""Where rows come from, a file or a stream with its encoding, and what they are on their way through the program."""

import codecs
import hashlib
import json
import math
import os
import stat
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from io import BufferedReader, TextIOWrapper
from pathlib import Path
from typing import Any, Literal, NamedTuple, Protocol, TextIO, cast

BLOCK = 1 << 20
PEEK = 1 << 16
UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
# "json": anything, written as JSON where a table has no type for it.
Kind = Literal["text", "int", "float", "bool", "json", "vector"]
MAX_CHARACTERS = 8 << 20  # of one window, so that huge cells do not fill the memory


class UnknownEncoding(ValueError):
    """A text is in none of the encodings that are found out."""


class InputFile:
    """A file, or a stream that can be read only once: standard input (`path` is None), a pipe."""

    def __init__(self, path: Path | None, encoding: str | None = None) -> None:
        """`encoding` None: to be found out. Raises OSError."""
        self.path = path
        self.name = str(path or "standard input")
        self._given = encoding
        self._origin = _open(path)
        self.file = self._origin if isinstance(self._origin, Path) else None

    @property
    def is_file(self) -> bool:
        """Whether it can be read more than once."""
        return self.file is not None

    @cached_property
    def digest(self) -> str | None:
        """The SHA-256 of a file, for which it is read from end to end; None of a stream. Raises OSError."""
        if self.file is None:
            return None
        digest = hashlib.sha256()
        for block in _blocks(self.file):
            digest.update(block)
        return digest.hexdigest()

    def find_encoding(self) -> str:
        """`utf-8`, `utf-8-sig`, `utf-16` or `gb18030`, or the one that was given: the one rule for every text file.

        Of a file all bytes are tried, of a stream what has come. Raises UnknownEncoding where none of them fits.
        """
        if self._given:
            return self._given
        start = self._peek()
        if start.startswith(codecs.BOM_UTF8):
            return "utf-8-sig"
        if start.startswith(UTF_16):
            return "utf-16"
        for encoding in ("utf-8", "gb18030"):
            if self._decodes(encoding, start):
                return encoding
        raise UnknownEncoding(f"{self.name} is neither UTF-8 nor GB18030 text")

    def open_text(self, encoding: str, newline: str | None, errors: str = "surrogateescape") -> TextIO:
        """The text from its beginning; a stream may be opened once. Bytes that cannot be decoded become surrogates."""
        if isinstance(self._origin, Path):
            return self._origin.open(encoding=encoding, errors=errors, newline=newline)
        return TextIOWrapper(self._origin, encoding=encoding, errors=errors, newline=newline)

    def _peek(self) -> bytes:
        if isinstance(self._origin, Path):
            return next(_blocks(self._origin), b"")
        return self._origin.peek(PEEK)[:PEEK]

    def _decodes(self, encoding: str, start: bytes) -> bool:
        decoder = codecs.getincrementaldecoder(encoding)()
        try:
            for block in [start] if self.file is None else _blocks(self.file):
                decoder.decode(block)
            if self.file is not None:  # what a stream has sent so far may end within a character
                decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return False
        return True


def _open(path: Path | None) -> Path | BufferedReader:
    """`path` itself where it is a regular file, else the stream."""
    if path is not None and stat.S_ISREG(os.stat(path).st_mode):
        return path
    stream = sys.stdin.buffer if path is None else path.open("rb", PEEK)
    return cast("BufferedReader", stream)  # it is one, which neither type says


def _blocks(file: Path) -> Iterator[bytes]:
    with file.open("rb") as opened:
        while block := opened.read(BLOCK):
            yield block


def read_text(path: Path | None) -> tuple[str, str]:
    """(text, encoding) of a whole small file, None being standard input. Raises UnknownEncoding, OSError."""
    file = InputFile(path)
    encoding = file.find_encoding()
    try:
        with file.open_text(encoding, None, "strict") as text:
            return text.read(), encoding
    except UnicodeDecodeError:  # behind a byte order mark, or further down in a stream
        raise UnknownEncoding(f"{file.name} is no {encoding.upper().removesuffix('-SIG')} text") from None


def to_json(value: Any) -> str:
    """JSON that every reader takes: null for the numbers that it does not have, such as a NaN of Parquet."""
    try:
        return json.dumps(value, ensure_ascii=False, default=str, allow_nan=False)
    except ValueError:
        return json.dumps(_finite(value), ensure_ascii=False, default=str)


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _finite(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return list(map(_finite, value))
    return None if isinstance(value, float) and not math.isfinite(value) else value


def to_bytes(lines: list[str], encoding: str) -> bytes:
    """The lines in `encoding`; undecodable bytes as they came, and what the encoding does not have as an escape."""
    try:
        return "".join(lines).encode(encoding)
    except UnicodeEncodeError:
        return b"".join(_line_to_bytes(line, encoding) for line in lines)


def _line_to_bytes(line: str, encoding: str) -> bytes:
    for errors in ("strict", "surrogateescape"):
        try:
            return line.encode(encoding, errors)
        except UnicodeEncodeError:
            pass
    return line.encode(encoding, "backslashreplace")


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
