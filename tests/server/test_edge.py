"""The edge by itself: which way a request goes, and what the application behind it is given."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import pytest

from structbert_lite.inference.admission import AdmissionController
from structbert_lite.server.edge import Edge
from structbert_lite.server.protocol import CLOSE

MOST = 100


class Application:
    """A WSGI application that keeps what it was given and answers with the body that it read."""

    def __init__(self, **extensions: Any) -> None:
        engine = SimpleNamespace(admission=AdmissionController(), batcher=lambda task: None)
        self.config = {"MAX_CONTENT_LENGTH": MOST}
        self.extensions = {"structbert_engine": engine, "structbert_refusals": None} | extensions
        self.environs: list[dict[str, Any]] = []
        self.is_closed = False

    def __call__(self, environ: dict[str, Any], start_response: Any) -> "Application":
        self.environs.append(environ)
        start_response("200 OK", [("X", "flask")])
        return self

    def __iter__(self) -> Iterator[bytes]:
        yield b"read:"
        yield self.environs[-1]["wsgi.input"].read()

    def close(self) -> None:
        self.is_closed = True


class Fast:
    """Knows /predict by heart, and has to compute /similarity."""

    def read(self, method: str, path: str, headers: list, body: bytes, *rest: Any) -> Any:
        arrived, client, cancelled = rest
        assert (client, cancelled()) == ("192.0.2.7", False)
        assert arrived > 0
        return (method, path, body) if path in {"/predict", "/similarity"} else None

    def answer_from_memory(self, request: Any) -> Any:
        asyncio.get_running_loop()
        return (201, [("X", "memory")], b"known") if request[1] == "/predict" else None

    def answer(self, request: Any) -> Any:
        with pytest.raises(RuntimeError):  # in a thread
            asyncio.get_running_loop()
        return (201, [("X", "fast")], request[0].encode() + request[2])


def ask(application: Application, method: str, target: bytes, body: bytes = b"", length: int | None = None) -> tuple:
    """(status, headers, body) of one request; without a `length` its body is chunked."""
    sent: list[dict[str, Any]] = []
    parts = [{"type": "http.request", "body": body[:2], "more_body": True}]
    parts += [{"type": "http.request", "body": body[2:], "more_body": False}]
    framing = (b"transfer-encoding", b"chunked") if length is None else (b"content-length", b"%d" % length)
    scope = {
        "method": method,
        "raw_path": target,
        "query_string": b"a=b",
        "headers": [framing, (b"x-two", b"1"), (b"x-two", b"2")],
        "client": ("192.0.2.7", 1),
        "server": ("127.0.0.1", 5000),
        "scheme": "http",
        "http_version": "1.1",
    }

    async def receive() -> dict[str, Any]:
        return parts.pop(0)

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    async def run() -> None:
        edge = Edge(application, 2, asyncio.get_running_loop())
        await edge(scope, receive, send)
        edge.close()

    with ThreadPoolExecutor(1) as pool:  # a browser's tests leave a running loop in the main thread
        pool.submit(asyncio.run, run()).result()
    return sent[0]["status"], sent[0]["headers"], sent[1]["body"]


@pytest.mark.parametrize("length", [None, 5])
def test_the_application_reads_the_whole_body_however_it_came(length: int | None) -> None:
    application = Application()
    answer = ask(application, "POST", b"/pr%C3%A9dict", b"hello", length)
    assert answer == (200, [(b"X", b"flask"), (b"Content-Length", b"10")], b"read:hello")
    environ = application.environs[0]
    assert environ["PATH_INFO"].encode("latin-1").decode() == "/prédict"
    assert (environ["QUERY_STRING"], environ["HTTP_X_TWO"], environ["REMOTE_ADDR"]) == ("a=b", "1,2", "192.0.2.7")
    assert application.is_closed


@pytest.mark.parametrize("prefix", [b"", b"http://localhost"])
@pytest.mark.parametrize("suffix", [b"", b"#x"])
def test_a_fast_route_is_asked_first_for_what_memory_has(prefix: bytes, suffix: bytes) -> None:
    application = Application(structbert_fast=Fast())
    known, new = (prefix + path + suffix for path in (b"/predict", b"/similarity"))
    assert ask(application, "POST", known, b"hello", 5) == (201, [(b"X", b"memory")], b"known")
    assert ask(application, "POST", new, b"hello", 5) == (201, [(b"X", b"fast")], b"POSThello")
    assert not application.environs
    assert ask(application, "POST", b"/embed", b"hello", 5)[2] == b"read:hello"


@pytest.mark.parametrize("path", [b"/livez", b"/metrics"])
def test_a_probe_needs_no_admission(path: bytes) -> None:
    application = Application(structbert_fast=None)
    application.extensions["structbert_engine"].batcher = None  # it would fail if it were asked
    assert ask(application, "GET", path, length=0)[0] == 200


def test_a_body_that_is_too_large_is_told_by_its_length_alone() -> None:
    for length in (MOST + 1, None):
        application = Application(structbert_fast=Fast())
        status, headers, body = ask(application, "POST", b"/predict", b"x" * (MOST + 1), length)
        assert (status, CLOSE in headers) == (200, True)
        assert application.environs[0]["CONTENT_LENGTH"] == str(MOST + 1)
        assert "HTTP_TRANSFER_ENCODING" not in application.environs[0]
        assert length is None or body == b"read:"


def test_an_answer_to_head_has_no_body() -> None:
    assert ask(Application(), "HEAD", b"/", length=0) == (200, [(b"X", b"flask")], b"")
