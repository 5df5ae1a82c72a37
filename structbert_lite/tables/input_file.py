"""Where rows come from: a file or a stream, its digest and its encoding."""

import codecs
import hashlib
import os
import stat
import sys
from collections.abc import Iterator
from io import TextIOWrapper
from pathlib import Path
from typing import TextIO

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
        self.is_file = path is not None and stat.S_ISREG(os.stat(path).st_mode)
        self._given = encoding
        self._stream = None if self.is_file else sys.stdin.buffer if path is None else path.open("rb", PEEK)
        self.digest = self._digest() if self.is_file else None

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
        if self.is_file:
            return self.path.open(encoding=encoding, errors="surrogateescape", newline=newline)
        return TextIOWrapper(self._stream, encoding=encoding, errors="surrogateescape", newline=newline)

    def _blocks(self) -> Iterator[bytes]:
        with self.path.open("rb") as file:
            while block := file.read(BLOCK):
                yield block

    def _digest(self) -> str:
        digest = hashlib.sha256()
        for block in self._blocks():
            digest.update(block)
        return digest.hexdigest()

    def _peek(self) -> bytes:
        if self._stream is not None:
            return self._stream.peek(PEEK)[:PEEK]
        return next(self._blocks(), b"")

    def _decodes(self, encoding: str, start: bytes) -> bool:
        decoder = codecs.getincrementaldecoder(encoding)()
        try:
            for block in self._blocks() if self.is_file else [start]:
                decoder.decode(block)
            if self.is_file:  # what a stream has sent so far may end within a character
                decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return False
        return True


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
