"""The load generator against small servers: keep-alive, one answer a connection, errors, connections cut off."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from structbert_lite.bench.http_client import closed_loop, measure_closed_loop


@contextmanager
def echo(protocol: str) -> Iterator[int]:
    """Answers with the body; 500 for "bad", and cuts the connection for "cut"."""

    class Echo(BaseHTTPRequestHandler):
        protocol_version = protocol

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            said = json.loads(body)
            if said == "cut":
                self.close_connection = True
                return
            self.send_response(500 if said == "bad" else 200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Echo) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("protocol", ["HTTP/1.0", "HTTP/1.1"])
def test_answers_come_in_the_order_of_the_bodies(protocol: str) -> None:
    with echo(protocol) as port:
        answers, seconds = closed_loop(port, "/any", [f"文字{i}" for i in range(40)], clients=4)
    assert [json.loads(answer.body) for answer in answers] == [f"文字{i}" for i in range(40)]
    assert all(answer.good and 0 < answer.seconds <= seconds for answer in answers)


def test_what_fails_is_counted_and_the_rest_goes_on() -> None:
    with echo("HTTP/1.1") as port:
        figures = measure_closed_loop(port, ["a", "bad", "cut", "b", "cut", "c"], 1, "/any", body_of=lambda text: text)
    assert (figures.requests, figures.failures) == (6, 3)


def test_a_port_where_nobody_listens_is_failures_not_an_exception() -> None:
    with echo("HTTP/1.1") as port:
        pass
    assert measure_closed_loop(port, ["a", "b"], clients=2).failures == 2
