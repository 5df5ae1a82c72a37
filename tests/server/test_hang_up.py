"""Clients that hang up cost nothing further: what the model has run is counted."""

import json
import socket
import time

from structbert_lite.bench.server_process import Server
from tests.server.conftest import HEAD, ask, connect, read_all, read_metric

LONG = "很长的一句话" * 80
ROWS = "structbert_batch_rows_sum"


def post(path: bytes, body: dict) -> bytes:
    data = json.dumps(body, ensure_ascii=False).encode()
    return HEAD.replace(b"/predict", path) + b"Connection: close\r\nContent-Length: %d\r\n\r\n" % len(data) + data


def wait_until_running(server: Server, before: float) -> None:
    limit = time.monotonic() + 60
    while read_metric(server, ROWS) == before:
        assert time.monotonic() < limit
        time.sleep(0.01)


def wait_until_idle(server: Server) -> None:
    """The last answer's metrics and an answer after all that was queued."""
    limit = time.monotonic() + 60
    while read_metric(server, "structbert_queue_tokens") and time.monotonic() < limit:
        time.sleep(0.05)
    ask(server)


def test_who_waits_in_line_and_hangs_up_costs_nothing_further(server: Server) -> None:
    wait_until_idle(server)
    before = read_metric(server, ROWS)
    batch = [f"{LONG}{i}" for i in range(20)]
    with connect(server) as busy:
        busy.sendall(post(b"/predict_batch", {"texts": batch}))
        wait_until_running(server, before)  # the others come behind it
        gone = [connect(server) for _ in range(6)]  # three have a thread, three wait for one
        for i, connection in enumerate(gone):
            texts = [f"{i} {n} {LONG}" for n in range(20)]
            connection.sendall(post(b"/predict_batch", {"texts": texts}))
        time.sleep(0.2)
        for connection in gone:
            connection.close()
        answer = read_all(busy)
    assert answer.startswith(b"HTTP/1.1 200 ")
    wait_until_idle(server)
    # Those with a thread take turns with the busy one and may have had some; those without have had nothing.
    assert len(batch) <= read_metric(server, ROWS) - before <= len(batch) + 3 * 20 - 20


def test_the_rest_of_a_batch_is_dropped_when_its_client_hangs_up(server: Server) -> None:
    wait_until_idle(server)
    before = read_metric(server, ROWS)
    with connect(server) as connection:
        connection.sendall(post(b"/predict_batch", {"texts": [f"{i}{LONG}" for i in range(60)]}))
        wait_until_running(server, before)
    wait_until_idle(server)
    assert read_metric(server, ROWS) - before < 50


def test_who_half_closes_is_told_that_its_request_was_dropped(server: Server) -> None:
    with connect(server) as connection:
        connection.sendall(post(b"/v2/rerank", {"model": "rerank", "query": "哪里", "documents": [LONG] * 30}))
        connection.shutdown(socket.SHUT_WR)
        status = read_all(connection).partition(b"\r\n")[0]
    assert status in {b"HTTP/1.1 499 Client Closed Request", b"HTTP/1.1 200 OK"}
