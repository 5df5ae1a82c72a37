"""Whatever bytes come, the server answers with an error or closes, and others are answered as before."""

import hypothesis
from hypothesis import strategies as st

from structbert_lite.cli.server import Server
from tests.fuzz import FUZZ
from tests.fuzz.raw import CONNECTIONS, GOOD
from tests.fuzz.wire import exchange, exchange_many, read_answers

# Statuses beside those below 500: a transfer coding that nobody knows; busy; a deadline that a header asked for.
ALLOWED = {501, 503, 504}
CLOSING = GOOD.replace(b"\r\n", b"\r\nConnection: close\r\n", 1)
AT_ONCE = 40  # connections
PATIENCE = 1.0  # seconds for answers to all of them; who sent half a request gets none


def answer_as_before(port: int) -> bytes:
    (answer,) = read_answers(exchange(port, CLOSING), ["POST"])
    assert answer.status == 200, answer
    return answer.body


def check_batch(port: int, connections: list[list[bytes]]) -> int:
    """How many answers came."""
    received = exchange_many(port, connections, PATIENCE)
    return sum(_check(b"".join(pieces), *got) for pieces, got in zip(connections, received, strict=True))


def _check(sent: bytes, received: bytes, closed: bool) -> int:
    # Their number and methods are not known; a HEAD, whose answer has no body, is not sent.
    answers = read_answers(received.replace(b"HTTP/1.1 100 Continue\r\n\r\n", b""), ["GET"] * 1000, closed)
    for answer in answers:
        assert answer.status < 500 or answer.status in ALLOWED, (sent, answer)
        assert answer.headers["x-request-id"], (sent, answer)
        assert "server" not in answer.headers
        if answer.status >= 400:
            assert answer.headers["content-type"] in {"application/json", "text/html; charset=utf-8"}, (sent, answer)
    return len(answers)


def test_any_bytes_are_answered_or_refused(server: Server) -> None:
    before = answer_as_before(server.port)
    counts = []

    @hypothesis.settings(FUZZ, max_examples=6)
    @hypothesis.given(st.lists(CONNECTIONS, min_size=AT_ONCE, max_size=AT_ONCE))
    def run(connections: list[list[bytes]]) -> None:
        counts.append(check_batch(server.port, connections))
        assert answer_as_before(server.port) == before

    run()
    assert sum(counts) > 100
