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

from structbert_lite.tables.encoding import NAMES, Encoding, guess

BLOCK = 1 << 20
PEEK = 1 << 16
COMPRESSED = (
    b"\x1f\x8b\x08",
    b"BZh",
    b"\xfd7zXZ\0",
    b"\x28\xb5\x2f\xfd",
)  # what gzip, bzip2, xz and Zstandard begin with
SURE = 0.95  # a guess below it is told with what to do
# "json": anything, written as JSON where a table has no type for it.
Kind = Literal["text", "int", "float", "bool", "json", "vector"]
MAX_CHARACTERS = 8 << 20  # of one window, so that huge cells do not fill the memory


class UnknownEncoding(ValueError):
    """A text is in none of the encodings that are found out."""


class InputFile:
    """A file, or a stream that can be read only once: standard input (`path` is None), a pipe."""

    def __init__(self, path: Path | None, encoding: str | None = None) -> None:
        """`encoding` None or "auto": to be found out. Raises OSError."""
        self.path = path
        self.name = str(path or "standard input")
        self._given = None if encoding == "auto" else encoding
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

    @cached_property
    def encoding(self) -> Encoding:
        """The encoding that was given, by its usual name, or the likeliest: the one rule for every text file.

        Of a file all bytes are tried, of a stream what has come. Raises UnknownEncoding where none of them fits,
        ValueError for a name that Python does not know.
        """
        if self._given:
            return Encoding(known_encoding(self._given), 1)
        if found := guess(self._blocks, self.is_file):
            return found
        start = next(iter(self._blocks()), b"")
        if start.startswith(b"PK\x03\x04"):
            raise ValueError(f"{self.name} is no text but a workbook or another ZIP file; try --format xlsx")
        if start.startswith(COMPRESSED):
            raise ValueError(f"{self.name} is no text but a compressed file; unpack it first")
        raise UnknownEncoding(f"{self.name} is neither UTF-8 nor GB18030 text")

    def find_encoding(self) -> str:
        """The encoding's name. Raises as `encoding`."""
        return self.encoding.name

    @property
    def encoding_notice(self) -> str:
        """What a person should know of a guess that may be wrong; empty where there is nothing to say."""
        name, sure = self.encoding
        if self._given or sure == 1:
            return ""
        line = f"{self.name} was read as {NAMES.get(name, name.upper())}, {math.floor(min(sure, 0.999) * 100)}% sure"
        return line if sure >= SURE else f"{line}: look at the output, and name the right --encoding if it is none"

    def open_text(self, encoding: str, newline: str | None, errors: str = "surrogateescape") -> TextIO:
        """The text from its beginning; a stream may be opened once. Bytes that cannot be decoded become surrogates."""
        if isinstance(self._origin, Path):
            return self._origin.open(encoding=encoding, errors=errors, newline=newline)
        return TextIOWrapper(self._origin, encoding=encoding, errors=errors, newline=newline)

    def _blocks(self) -> Iterator[bytes]:
        if isinstance(self._origin, Path):
            return _blocks(self._origin)
        return iter([self._origin.peek(PEEK)[:PEEK]])


def known_encoding(name: str) -> str:
    """The encoding's usual name; GBK and GB 2312 are read and written as GB18030, which holds both.

    Raises ValueError where there is none.
    """
    try:
        found = codecs.lookup(name).name
    except LookupError as error:
        raise ValueError(error) from None
    return "gb18030" if found in {"gbk", "gb2312"} else found


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
        return json.dumps(value, ensure_ascii=False, default=to_text, allow_nan=False)
    except ValueError:
        return json.dumps(_finite(value), ensure_ascii=False, default=to_text)


def to_text(value: Any) -> str:
    """A value as a cell shows it: text as it is, bytes as text if they are UTF-8, else hex digits; others as JSON."""
    if isinstance(value, str):
        return value
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError:
            return value.hex()
    plain = value is None or isinstance(value, bool | int | float | dict | list | tuple)
    return to_json(value) if plain else str(value)


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


class Cell(str):
    """The text of a workbook's cell as the sheet shows it.

    `value`: what the cell holds, a number or a date; None of an error, such as #N/A.
    """

    __slots__ = ("value",)
    value: Any

    def __new__(cls, text: str, value: Any) -> "Cell":
        """`text` with its `value`."""
        cell = super().__new__(cls, text)
        cell.value = value
        return cell


class Column(NamedTuple):
    """A column's name and what its cells hold; any cell may be empty (None)."""

    name: str
    kind: Kind


@dataclass(slots=True)
class Record:
    """One row by column name. `fault`: why it could not be read, else empty; `lost`: numbers that became null."""

    values: dict[str, Any]
    fault: str = ""
    lost: list[str] = field(default_factory=list)


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

    @property
    def left_out(self) -> int:
        """Empty lines and rows that became no row, up to where it was read."""

    @property
    def notices(self) -> list[str]:
        """What a person should know of how the file was read, a sentence each."""

    def sample(self) -> list[Record]:
        """The first rows, some hundred at the most; none of a stream that cannot be looked into."""

    def windows(self, size: int, skip: int) -> Iterator[Window]:
        """All rows but the first `skip`, in order, `size` at a time at the most; the same windows every time.

        Raises ValueError, with the row's number, where the file cannot be read any further.
        """


class Sink(Protocol):
    """Rows as bytes. What `head` and then `rows` gave, one behind the other, is what `finish` wants to find.

    `notices`: what was written otherwise than it came, a sentence each, once it is finished.
    """

    notices: list[str]

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
