"""Is a request whole? Held against gunicorn's own parser, however the bytes are cut."""

import itertools

import hypothesis
import pytest
from gunicorn.config import Config
from gunicorn.http import RequestParser
from hypothesis import strategies as st

from structbert_lite.front.gather import MAX_HEAD, Gathering

MAX_BODY = 1000
GET = b"GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n"
POST = b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello"
CHUNKED = (
    b"POST /predict HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"5;a=b\r\nhello\r\nA\r\n0\r\n\r\n0\r\n\r\n\r\n0\r\nX-Sum: 1\r\n\r\n"
)
WHOLE = [GET, POST, CHUNKED, b"\r\n" + POST, b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"]
NEXT = b"GET /livez HTTP/1.1\r\n\r\n"
# The parser refuses these, so nothing more is waited for.
BROKEN = [
    b"GET / HTTP/1.1\nHost: x\n\n",
    b"\nGET / HTTP/1.1",
    b"POST / HTTP/1.1\r\nContent-Length: many\r\n\r\n",
    b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
    b"POST / HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
    b"POST / HTTP/1.1\r\nTransfer-Encoding: unheard-of\r\n\r\n",
    b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
    b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n",
    b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1" * 9000,
    b"GET / HTTP/1.1\r\nX: " + b"x" * MAX_HEAD,
]


def feed_cut(data: bytes, cuts: list[int]) -> Gathering:
    gathering = Gathering(MAX_BODY)
    edges = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    for start, end in itertools.pairwise(edges):
        gathering.feed(data[start:end])
    return gathering


@hypothesis.given(st.sampled_from(WHOLE), st.lists(st.integers(0, 400)))
def test_a_request_is_whole_with_its_last_byte_and_not_before(request_: bytes, cuts: list[int]) -> None:
    before = feed_cut(request_[:-1], cuts)
    assert not before.ready
    before.feed(request_[-1:])
    assert (before.ready, before.cut, before.end) == (True, False, len(request_))
    after = feed_cut(request_ + NEXT, cuts)
    assert (after.ready, bytes(after.data[after.end :])) == (True, NEXT)


@pytest.mark.parametrize("request_", WHOLE)
def test_gunicorn_reads_as_much_as_was_gathered(request_: bytes) -> None:
    gathering = feed_cut(request_ + NEXT, [])
    parser = RequestParser(Config(), iter([bytes(gathering.data[: gathering.end])]), ("127.0.0.1", 1))
    body = next(parser).body.read()
    assert (len(body), parser.unreader.take_buffered()) == (gathering.body_bytes, b"")
    assert gathering.head.startswith((b"GET /", b"POST /"))


@pytest.mark.parametrize("data", BROKEN, ids=range(len(BROKEN)))
def test_what_will_never_be_a_request_is_handed_on_at_once(data: bytes) -> None:
    assert feed_cut(data, list(range(0, len(data), max(1, len(data) // 50)))).ready


@pytest.mark.parametrize(
    "framing",
    [
        b"Content-Length: 1001\r\n\r\n",
        b"Content-Length: 999999999999999999\r\n\r\n",
        b"Transfer-Encoding: chunked\r\n\r\n3E9\r\n",
        b"Transfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFF\r\n",
        b"Transfer-Encoding: chunked\r\n\r\n" + b"1F4\r\n" + b"x" * 500 + b"\r\n1F5\r\n",
    ],
)
def test_a_body_that_is_too_large_is_cut_as_soon_as_it_is_announced(framing: bytes) -> None:
    gathering = feed_cut(b"POST / HTTP/1.1\r\n" + framing, [])
    assert (gathering.ready, gathering.cut) == (True, True)
    assert gathering.body_bytes > MAX_BODY


def test_one_byte_chunks_cannot_hold_more_than_their_frames_allow() -> None:
    gathering = Gathering(100_000)
    gathering.feed(b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n")
    while not gathering.ready:
        gathering.feed(b"1;" + b"x" * 1000 + b"\r\ny\r\n")
    assert len(gathering.data) < 300_000


def test_a_client_that_waits_for_a_go_is_noticed() -> None:
    assert feed_cut(b"POST / HTTP/1.1\r\nExpect: 100-Continue\r\nContent-Length: 5\r\n\r\n", []).awaits_go
