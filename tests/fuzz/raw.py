"""Bytes on a connection that are nearly HTTP, or nothing like it, in the pieces in which they are sent."""

import itertools

from hypothesis import strategies as st

BODY = '{"text":"这部电影太烂了"}'.encode()
HEAD = b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
GOOD = HEAD + b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n%x;a=b\r\n%s\r\n0\r\nX-Sum: 1\r\n\r\n" % (len(BODY), BODY)
GET = b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n"
BASES = st.sampled_from([GOOD, CHUNKED, GET, GET + GOOD + GET, CHUNKED + CHUNKED, GOOD * 5])

REQUEST_LINES = st.sampled_from(
    [
        b"",
        b"GET",
        b"GET /",
        b"GET / HTTP/0.9",
        b"GET / HTTP/1.0",
        b"GET / HTTP/2.0",
        b"GET / HTTP/1.1 x",
        b"GET  / HTTP/1.1",
        b"get / HTTP/1.1",
        b"G\x00T / HTTP/1.1",
        b"GET /\x00 HTTP/1.1",
        b"GET http://localhost/livez HTTP/1.1",
        b"GET //evil.example/livez HTTP/1.1",
        b"GET ? HTTP/1.1",
        b"GET * HTTP/1.1",
        b"OPTIONS * HTTP/1.1",
        b"CONNECT localhost:80 HTTP/1.1",
        b"POST /predict#x HTTP/1.1",
        b"GET /\xe5\xa5\xbd HTTP/1.1",
        b"GET /" + b"a" * 9000 + b" HTTP/1.1",
        b"A" * 300 + b" / HTTP/1.1",
        b"PRI * HTTP/2.0",
        b"PROXY TCP4 1.2.3.4 5.6.7.8 1 2",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"\xff\xff\xff\xff",
    ]
)
FIELDS = st.sampled_from(
    [
        b"Content-Length: 5",
        b"Content-Length: -1",
        b"Content-Length: +5",
        b"Content-Length: 1e3",
        b"Content-Length: 5, 5",
        b"Content-Length: 0x5",
        b"Content-Length: \xd9\xa5",
        b"Content-Length: 99999999999999999999",
        b"Content-Length:",
        b"Content-Length : 5",
        b"Transfer-Encoding: chunked",
        b"Transfer-Encoding: xchunked",
        b"Transfer-Encoding: chunked, chunked",
        b"Transfer-Encoding: gzip, chunked",
        b"Transfer-Encoding: identity",
        b"Transfer-Encoding:\x0bchunked",
        b"Transfer_Encoding: chunked",
        b"Host: a\r\nHost: b",
        b"Host:",
        b"Content-Type: text/plain\r\nContent-Type: application/json",
        b"X-Request-ID: a\r\nX-Request-ID: b",
        b"X-Request-Timeout-Ms: 5\r\nX-Request-Timeout-Ms: 50000",
        b"Authorization: a\r\nAuthorization: b",
        b"Expect: 100-continue",
        b"Expect: 200-ok",
        b"Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\nConnection: Upgrade, HTTP2-Settings",
        b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: x\r\nSec-WebSocket-Version: 13",
        b"Connection: close",
        b"Connection: keep-alive, close",
        b"Connection: Content-Length",
        b"X: a\r\n b",
        b" X: a",
        b"X",
        b": x",
        b"X\x00: a",
        b"X: \x00",
        b"X: a\rb",
        b"X: a\nb",
        b"\xff: \xff",
        b"X: " + b"x" * 9000,
        b"X: x\r\n" * 150 + b"X: x",
        b"X: " + b"x" * 70_000,
    ]
)
CHUNKS = st.sampled_from(
    [
        b"5\r\nhello\r\n0\r\n\r\n",
        b"5\r\nhello0\r\n\r\n",
        b"5\nhello\n0\n\n",
        b"-5\r\nhello\r\n0\r\n\r\n",
        b"0x5\r\nhello\r\n0\r\n\r\n",
        b"5 \r\nhello\r\n0\r\n\r\n",
        b"5_0\r\nhello\r\n0\r\n\r\n",
        b"FFFFFFFFFFFFFFFFF\r\nhello",
        b"\r\n\r\n",
        b"5;" + b"x" * 9000 + b"\r\nhello\r\n0\r\n\r\n",
        b"0\r\n" + b"X: x\r\n" * 2000 + b"\r\n",
        b"5\r\nhel",
    ]
)


def _lines(base: bytes, line: bytes) -> bytes:
    return line + b"\r\n" + base.partition(b"\r\n")[2]


def _field(base: bytes, field: bytes) -> bytes:
    first, end, rest = base.partition(b"\r\n")
    return first + end + field + b"\r\n" + rest


def _chunks(chunks: bytes) -> bytes:
    return CHUNKED.partition(b"\r\n\r\n")[0] + b"\r\n\r\n" + chunks


def _damaged(base: bytes, at: int, length: int, new: bytes) -> bytes:
    at %= len(base)
    return base[:at] + new + base[at + length :]


def _cut(data: bytes, cuts: list[int]) -> list[bytes]:
    edges = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    return [data[start:end] for start, end in itertools.pairwise(edges)]


DATA = st.one_of(
    BASES,
    st.builds(_lines, BASES, REQUEST_LINES),
    st.builds(_field, BASES, FIELDS),
    st.builds(lambda base, one, two: _field(_field(base, one), two), BASES, FIELDS, FIELDS),
    st.builds(_chunks, CHUNKS),
    st.builds(_damaged, BASES, st.integers(0, 10_000), st.integers(0, 6), st.binary(max_size=6)),
    st.builds(lambda base, at: base[: at % len(base)], BASES, st.integers(0, 10_000)),
    st.builds(lambda base, new: base + new, BASES, st.binary(max_size=40)),
    st.binary(max_size=300),
)
CONNECTIONS = st.builds(_cut, DATA, st.lists(st.integers(0, 100_000), max_size=4))
