"""Clients that hold on to the server: slow heads, slow bodies, answers not fetched, connections without end."""

import json
import socket
import time

import pytest

from structbert_lite.bench.server_process import Server
from tests.server.conftest import BODY, HEAD, REQUEST, SITE, TEXT, ask, connect, read_all, read_requests

SLOW = 200
BEGINNINGS = {
    "no byte": b"",
    "half a head": b"POST /predict HTTP/1.1\r\nHost",
    "half a body": HEAD + b"Content-Length: 1000\r\n\r\n{",
    "half a chunk": HEAD + b"Transfer-Encoding: chunked\r\n\r\n3E8\r\n{",
}


@pytest.mark.parametrize("beginning", BEGINNINGS.values(), ids=BEGINNINGS)
def test_slow_clients_stop_nobody_and_are_cut_off(server: Server, beginning: bytes) -> None:
    slow = [connect(server) for _ in range(SLOW)]
    try:
        for connection in slow:
            connection.sendall(beginning)
        for _ in range(3):
            for connection in slow:
                connection.sendall(b" " * bool(beginning))  # none of them is done, all of them go on
            assert ask(server)["label"] == "Negative"
        for connection in slow:
            answer = read_all(connection)
            assert answer.startswith(b"HTTP/1.1 408 ") if beginning else answer == b""
            assert b"request_timeout" in answer or not beginning
    finally:
        for connection in slow:
            connection.close()


def test_a_refusal_of_the_loop_can_be_read_by_scripts_and_is_counted(server: Server) -> None:
    counted = {"route": "/v1/embeddings", "method": "POST", "status": "408"}
    before = read_requests(server, counted)
    with connect(server) as connection:
        head = f"POST /v1/embeddings HTTP/1.1\r\nHost: x\r\nOrigin: {SITE}\r\nContent-Type: application/json\r\n"
        connection.sendall(head.encode() + b"Content-Length: 50\r\n\r\n{")
        answer = read_all(connection).decode()
    assert answer.startswith("HTTP/1.1 408 ")
    assert f"Access-Control-Allow-Origin: {SITE}\r\n" in answer
    assert json.loads(answer.partition("\r\n\r\n")[2])["error"]["code"] == "request_timeout"  # OpenAI's shape
    assert read_requests(server, counted) == before + 1


def test_a_slow_client_that_makes_progress_is_answered(server: Server) -> None:
    with connect(server) as connection:
        for i in range(0, len(REQUEST), 20):
            connection.sendall(REQUEST[i : i + 20])
            time.sleep(0.02)
        assert connection.recv(65536).startswith(b"HTTP/1.1 200 ")


def test_more_connections_than_allowed_close_the_longest_idle_ones(server: Server) -> None:
    crowd = [connect(server) for _ in range(400)]
    try:
        assert ask(server)["text"] == TEXT
        crowd[-1].sendall(REQUEST)
        assert crowd[-1].recv(65536).startswith(b"HTTP/1.1 200 ")
        assert crowd[0].recv(1) == b""
    finally:
        for connection in crowd:
            connection.close()


def test_answers_that_nobody_fetches_hold_no_thread(server: Server) -> None:
    """Each answer repeats the request's texts: a megabyte that this client leaves in the network."""
    body = json.dumps({"texts": ["好" * 20_000] * 16}, ensure_ascii=False).encode()
    request = HEAD.replace(b"/predict", b"/predict_batch") + b"Content-Length: %d\r\n\r\n" % len(body) + body
    lazy = []
    try:
        for _ in range(12):
            connection = socket.socket()
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.connect(("127.0.0.1", server.port))
            connection.sendall(request)
            lazy.append(connection)
            assert ask(server)["label"] == "Negative"
        first = read_all(lazy[0])
        assert first.startswith(b"HTTP/1.1 200 ")
    finally:
        for connection in lazy:
            connection.close()


def test_requests_sent_without_waiting_for_answers_are_answered_in_order(server: Server) -> None:
    count = 400
    with connect(server) as connection:
        connection.sendall(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n" * count + REQUEST[:-1])
        connection.sendall(REQUEST[-1:])
        data = b""
        while b"Negative" not in data:
            part = connection.recv(65536)
            assert part
            data += part
    assert data.count(b"HTTP/1.1 200 OK") == count + 1


@pytest.mark.parametrize("framing", [b"Content-Length: 9000000", b"Transfer-Encoding: chunked"])
def test_a_huge_body_is_cut_off_and_the_client_can_read_why(server: Server, framing: bytes) -> None:
    chunk = b"x" * 100_000
    wire = b"%X\r\n%s\r\n" % (len(chunk), chunk) if b"chunked" in framing else chunk
    sent = 0
    with connect(server) as connection:
        connection.sendall(HEAD + framing + b"\r\n\r\n")
        for _ in range(90):
            try:
                connection.sendall(wire)
            except OSError:
                break
            sent += len(chunk)
            if sent > 2_000_000:
                break
        answer = read_all(connection)
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"payload_too_large" in answer
    assert b"connection: close" in answer.lower()


def send_for_ever(connection: socket.socket, data: bytes) -> None:
    limit = time.monotonic() + 20
    while time.monotonic() < limit:
        connection.sendall(data)


def test_an_endless_body_ends(server: Server) -> None:
    with connect(server) as connection:
        connection.sendall(HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
        with pytest.raises(ConnectionError):
            send_for_ever(connection, b"186A0\r\n" + b"x" * 100_000 + b"\r\n")


def test_a_client_that_asks_for_a_go_gets_one(server: Server) -> None:
    with connect(server) as connection:
        connection.sendall(HEAD + b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n" % len(BODY))
        assert connection.recv(65536) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(BODY)
        assert connection.recv(65536).startswith(b"HTTP/1.1 200 ")


def test_requests_far_ahead_of_their_answers_are_not_read(server: Server) -> None:
    probe = b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n" * 20_000
    sent, limit = 0, time.monotonic() + 4
    with connect(server) as connection:
        connection.setblocking(False)
        while time.monotonic() < limit:
            try:
                sent += connection.send(probe)
            except BlockingIOError:
                time.sleep(0.01)
    ask(server)
    assert sent < 16 << 20  # of which both kernels hold up to ten
