"""Requests and bytes made up by hypothesis, sent to a running server, and every answer checked."""

from collections import Counter

import hypothesis
from hypothesis import HealthCheck, Phase
from hypothesis import strategies as st

from structbert_lite.bench.server_process import Server
from tests.fuzz.contract import Contract
from tests.fuzz.raw import CONNECTIONS, GOOD
from tests.fuzz.strategies import Request, requests
from tests.fuzz.wire import exchange, exchange_many, read_answers

# Not shrunk: each step is a round trip, and the failed assertion shows what was sent.
SETTINGS = hypothesis.settings(
    deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.generate], database=None
)
# Statuses beside those below 500: a transfer coding that nobody knows; busy; a deadline that a header asked for.
ALLOWED = {501, 503, 504}
CLOSING = GOOD.replace(b"\r\n", b"\r\nConnection: close\r\n", 1)
AT_ONCE = 40  # connections
PATIENCE = 1.0  # seconds for answers to all of them; who sent half a request gets none


def fuzz_routes(server: Server, contract: Contract, examples: int, seed: int | None = None) -> Counter[int]:
    """Sends `examples` requests and returns how often each status came. Raises AssertionError with the request."""
    statuses: Counter[int] = Counter()

    @hypothesis.settings(SETTINGS, max_examples=examples)
    @hypothesis.given(requests(contract.examples(), list(contract.document["paths"])))
    def run(request: Request) -> None:
        data = request.encode()
        (answer,) = read_answers(exchange(server.port, data), [request.method])
        try:
            contract.check(request.method, request.target, answer)
        except (AssertionError, ValueError, LookupError) as error:
            raise AssertionError(f"{data[:2000]!r} -> {answer.status} {answer.body[:2000]!r}: {error}"[:6000]) from None
        statuses[answer.status] += 1

    _seeded(run, seed)()
    return statuses


def fuzz_raw(server: Server, batches: int, seed: int | None = None) -> Counter[int]:
    """The same for bytes that need not be HTTP, AT_ONCE connections a batch; between batches others are answered."""
    statuses: Counter[int] = Counter()
    before = _answer(server.port)

    @hypothesis.settings(SETTINGS, max_examples=batches)
    @hypothesis.given(st.lists(CONNECTIONS, min_size=AT_ONCE, max_size=AT_ONCE))
    def run(connections: list[list[bytes]]) -> None:
        received = exchange_many(server.port, connections, PATIENCE)
        for pieces, (data, closed) in zip(connections, received, strict=True):
            statuses.update(_check(b"".join(pieces), data, closed))
        assert _answer(server.port) == before

    _seeded(run, seed)()
    return statuses


def _check(sent: bytes, received: bytes, closed: bool) -> list[int]:
    # Their number and methods are not known; a HEAD, whose answer has no body, is not sent.
    answers = read_answers(received.replace(b"HTTP/1.1 100 Continue\r\n\r\n", b""), ["GET"] * 1000, closed)
    for answer in answers:
        assert answer.status < 500 or answer.status in ALLOWED, (sent, answer)
        assert answer.headers["x-request-id"], (sent, answer)
        assert "server" not in answer.headers, (sent, answer)
        media_type = answer.headers["content-type"].partition(";")[0]
        assert answer.status < 400 or media_type in {"application/json", "text/html"}, (sent, answer)
    return [answer.status for answer in answers]


def _answer(port: int) -> bytes:
    (answer,) = read_answers(exchange(port, CLOSING), ["POST"])
    assert answer.status == 200, answer
    return answer.body


def _seeded(run: object, seed: int | None) -> object:
    return run if seed is None else hypothesis.seed(seed)(run)
