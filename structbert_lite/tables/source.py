"""Where rows come from: a file or a stream, its digest and its encoding."""

import codecs
import hashlib
import os
import stat
import sys
from collections.abc import Iterator
from io import BufferedReader, TextIOWrapper
from pathlib import Path
from typing import TextIO, cast

BLOCK = 1 << 20
PEEK = 1 << 16
UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


class InputFile:
    """A file, or a stream that can be read only once: standard input (`path` is None), a pipe."""

    def __init__(self, path: Path | None, encoding: str | None) -> None:
        """`encoding` None: found out (`encoding` is then what was found, for text). Raises OSError.

        A file is read once from end to end for its digest; of a stream `digest` is None.
        """
        self.path = path
        self.name = str(path or "standard input")
        self._given = encoding
        self._origin = _open(path)
        self.file = self._origin if isinstance(self._origin, Path) else None
        self.digest = None if self.file is None else _digest(self.file)

    @property
    def is_file(self) -> bool:
        """Whether it can be read more than once."""
        return self.file is not None

    def find_encoding(self) -> str:
        """`utf-8`, `utf-8-sig`, `utf-16` or `gb18030`, or the one that was given.

        Of a file all bytes are tried, of a stream what has come. Raises ValueError where none of them fits.
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
        raise ValueError(
            f"{self.name} is neither UTF-8 nor GB18030. Name its --encoding; "
            "rows with bytes that cannot be decoded are then marked in the column `error`"
        )

    def open_text(self, encoding: str, newline: str) -> TextIO:
        """The text from its beginning; a stream may be opened once. Bytes that cannot be decoded become surrogates."""
        if isinstance(self._origin, Path):
            return self._origin.open(encoding=encoding, errors="surrogateescape", newline=newline)
        return TextIOWrapper(self._origin, encoding=encoding, errors="surrogateescape", newline=newline)

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


def _digest(file: Path) -> str:
    digest = hashlib.sha256()
    for block in _blocks(file):
        digest.update(block)
    return digest.hexdigest()


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
