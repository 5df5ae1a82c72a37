"""Bytes that are no HTTP: an error like every other, which repeats nothing, and the connection's end."""

import json
from importlib.util import find_spec

import pytest

from structbert_lite.bench.server_process import Server
from tests.server.conftest import HEAD, ask, connect, read_all

CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"


IN_C = find_spec("gunicorn_h1c") is not None
LAX = "the parser in C reads over it, to where the chunk begins"
# A coding that does not end with chunked leaves a body without a length (RFC 9112, 6.3), be it known or not.
UNKNOWN_CODING = 400 if IN_C else 501


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", 400),
        (b"GET http://secret/ HTTP/1.1\r\n\r\n", 400),
        (b"secret / HTTP/1.1\r\n\r\n", 400),
        (b"GET /secret HTTP/3.7\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nX\x00secret: a\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nX: \x00secret\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nX: a\r\n secret\r\n\r\n", 400),
        (b"GET /" + b"secret" * 2000 + b" HTTP/1.1\r\n\r\n", 414),
        (b"GET / HTTP/1.1\r\nX: " + b"secret" * 2000 + b"\r\n\r\n", 431),
        (b"GET / HTTP/1.1\r\nExpect: secret\r\n\r\n", 417),
        (HEAD + b"Content-Length: 5, 6\r\n\r\nsecret", 400),
        (HEAD + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\nsecret", 400),
        (HEAD + b"Transfer-Encoding: secret\r\n\r\n", UNKNOWN_CODING),
        (HEAD + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501),
        (HEAD + b"Content-Length: %b5\r\n\r\nsecret" % (b"0" * 4400), 400),
        (CHUNKED + b"5\r\nhello0\r\n\r\n", 400),
        (CHUNKED + b"0x5\r\nhello\r\n0\r\n\r\n", 400),
        pytest.param(
            CHUNKED + b"5;a\x00=secret\r\nhello\r\n0\r\n\r\n", 400, marks=pytest.mark.skipif(IN_C, reason=LAX)
        ),
        (CHUNKED + b"0\r\nsecret\r\n\r\n", 400),
        (CHUNKED + b"0\r\n" + b"X: secret\r\n" * 2000 + b"\r\n", 400),
    ],
    ids=range(20),
)
def test_what_is_no_http_gets_an_error_and_the_end(server: Server, data: bytes, status: int) -> None:
    with connect(server) as connection:
        connection.sendall(data)
        answer = read_all(connection)
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 %d " % status)
    assert b"\r\nx-request-id: " in head.lower()
    assert b"\r\nserver:" not in head.lower()
    assert json.loads(body)["error"].keys() == {"type", "message"}
    assert json.loads(body)["error"]["type"] == "malformed_request"
    assert b"secret" not in answer
    ask(server)


def test_an_upgrade_to_another_protocol_is_not_taken_up(server: Server) -> None:
    with connect(server) as connection:
        fields = b"Host: localhost\r\nConnection: close, Upgrade\r\nUpgrade: websocket\r\n\r\n"
        connection.sendall(b"GET /models HTTP/1.1\r\n" + fields)
        assert read_all(connection).startswith(b"HTTP/1.1 200 ")
