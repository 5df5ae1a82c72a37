"""The bytes of one request as they come: is it whole?

This decides only *when* a request is handed on, never what it says: gunicorn's own parser reads it afterwards, from
these bytes alone. Where the two disagree that parser meets an end of data, and nobody waits.
"""

import re

MAX_HEAD = 64 << 10
MAX_CHUNK_LINE = 8190
END_OF_HEAD = b"\r\n\r\n"
BARE_LF = re.compile(rb"[^\r]\n")
DIGITS = re.compile(rb"[0-9]{1,18}")
HEX_DIGITS = re.compile(rb"[0-9A-Fa-f]{1,15}")


class Gathering:
    """Feed it what comes. `ready` when the request can be handed on: it is whole, or will never be answered with 200.

    `head` is the request line and the fields, empty until they are there; `end` where the request ends in `data`, None
    while that is not known; `cut` says that the body is larger than `max_body` and is not wanted; `awaits_go` that the
    client waits for 100 Continue before it sends the body.
    """

    def __init__(self, max_body: int) -> None:
        self.data = bytearray()
        self.head = b""
        self.end: int | None = None
        self.body_bytes = 0  # as announced so far
        self.ready = self.cut = self.awaits_go = False
        self._max_body = max_body
        self._seen = 0  # of the data, while the head is looked for
        self._at = 0  # where the next line of a chunked body begins
        self._in_trailer = False

    def feed(self, part: bytes) -> None:
        self.data += part
        if not self.head:
            self._look_for_head()
        if self.head and not self.ready:
            self._look_for_end()

    def _look_for_head(self) -> None:
        data, start = self.data, max(0, self._seen - 3)
        begin = 2 if data[:2] == b"\r\n" else 0  # one empty line may come before the request line
        end = data.find(END_OF_HEAD, max(start, begin))
        self._seen = len(data)
        if end >= 0:
            self.head = bytes(data[begin : end + 2])
            self._at = end + 4
            self._read_framing()
        # The parser refuses both, and would wait for more where it could.
        elif len(data) > MAX_HEAD or data[:1] == b"\n" or BARE_LF.search(data, max(0, start - 1)):
            self.ready = True

    def _read_framing(self) -> None:
        length, coding = None, None
        for line in self.head.split(b"\r\n")[1:]:
            name, _, value = line.partition(b":")
            match name.lower():
                case b"content-length":
                    length = value.strip(b" \t")
                case b"transfer-encoding":
                    coding = (coding or b"") + value.lower()
                case b"expect":
                    self.awaits_go = value.strip(b" \t").lower() == b"100-continue"
        if coding is not None:
            # The parser refuses a length beside it, and a coding that it does not know.
            self.ready = length is not None or b"chunked" not in coding
            return
        if length is None or DIGITS.fullmatch(length):
            self._announce(int(length or b"0"))
            self.end = self._at + self.body_bytes
        else:
            self.ready = True

    def _look_for_end(self) -> None:
        if self.end is not None:
            self.ready = len(self.data) >= self.end
            return
        while not self.ready and self._at < len(self.data):
            end = self.data.find(b"\r\n", self._at)
            if end < 0:
                self.ready = len(self.data) - self._at > MAX_CHUNK_LINE
                return
            if self._in_trailer:
                if end == self._at:
                    self.end = end + 2
                self.ready = end == self._at or end - self._at > MAX_CHUNK_LINE
                self._at = end + 2
                continue
            size = self.data[self._at : end].partition(b";")[0].strip(b" \t")
            if not HEX_DIGITS.fullmatch(size):
                self.ready = True
                return
            self._announce(int(size, 16))
            self._in_trailer = int(size, 16) == 0
            self._at = end + 2 if self._in_trailer else end + 2 + int(size, 16) + 2
            # Chunks of one byte carry five of framing.
            self.ready = self.ready or len(self.data) > 2 * self._max_body + MAX_HEAD

    def _announce(self, size: int) -> None:
        self.body_bytes += size
        if self.body_bytes > self._max_body:
            self.ready = self.cut = True
