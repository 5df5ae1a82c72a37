"""The shipped nginx configuration, by a real nginx in front of servers that misbehave on demand."""

import http.client
import json
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from shutil import which

import pytest

from structbert_lite.settings import PROJECT
from tests.deploy.nginx import Nginx, free_port, run_nginx
from tests.deploy.stand_in import StandIn, stand_in


@pytest.fixture
def replicas() -> Iterator[list[StandIn]]:
    with stand_in() as one, stand_in() as other:
        yield [one, other]


@pytest.fixture
def nginx(tmp_path: Path, replicas: list[StandIn]) -> Iterator[Nginx]:
    with run_nginx(tmp_path, [replica.port for replica in replicas], read_timeout="1s") as server:
        yield server


def ask(nginx: Nginx, path: str = "/predict", body: bytes | None = b"{}", **headers: str) -> tuple[int, dict, dict]:
    connection = http.client.HTTPConnection("127.0.0.1", nginx.port, timeout=30)
    try:
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request("GET" if body is None else "POST", path, body, given)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read()), {name.lower(): value for name, value in answer.getheaders()}
    finally:
        connection.close()


def test_both_replicas_are_asked_in_turn_over_kept_connections(nginx: Nginx, replicas: list[StandIn]) -> None:
    answers = [ask(nginx)[1]["port"] for _ in range(8)]
    assert sorted(answers) == sorted([replica.port for replica in replicas] * 4)


@pytest.mark.parametrize("mood", ["busy", "cut", "silent"])
def test_the_other_replica_answers_a_post_with_the_whole_body(nginx: Nginx, replicas: list[StandIn], mood: str) -> None:
    replicas[0].mood = mood
    body = json.dumps({"text": "好" * 300_000}).encode()  # more than memory is given to
    answers = [ask(nginx, body=body) for _ in range(4)]
    assert [(status, answer) for status, answer, _ in answers] == [
        (200, {"port": replicas[1].port, "bytes": len(body)})
    ] * 4
    assert replicas[0].asked


def test_a_server_that_is_gone_costs_nobody_an_answer(nginx: Nginx, replicas: list[StandIn]) -> None:
    replicas[0].shutdown()
    replicas[0].server_close()
    assert [ask(nginx)[1]["port"] for _ in range(20)] == [replicas[1].port] * 20


def test_when_all_are_busy_their_own_503_arrives_and_nobody_is_shut_out(nginx: Nginx, replicas: list[StandIn]) -> None:
    for replica in replicas:
        replica.mood = "busy"
    for _ in range(20):
        status, answer, headers = ask(nginx)
        assert (status, answer["error"]["type"], headers["retry-after"]) == (503, "overloaded", "7")
    asked = sum(len(replica.asked) for replica in replicas)
    assert asked <= 20 * 3
    for replica in replicas:
        replica.mood = "answer"
        replica.asked.clear()
    assert [ask(nginx)[0] for _ in range(4)] == [200] * 4
    assert all(replica.asked for replica in replicas)


@pytest.mark.parametrize("mood", ["cut", "gone"])
def test_when_none_answers_it_is_a_503_to_try_again_in_our_own_format(
    nginx: Nginx, replicas: list[StandIn], mood: str
) -> None:
    for replica in replicas:
        replica.mood = mood
        if mood == "gone":
            replica.shutdown()
            replica.server_close()
    for _ in range(6):
        status, answer, headers = ask(nginx, X_Request_ID="mine-1")
        assert (status, answer["error"]["type"], headers["retry-after"]) == (503, "not_ready", "1")
        assert headers["x-request-id"] == "mine-1"


def test_a_request_that_ends_its_server_ends_no_more_than_two(tmp_path: Path) -> None:
    with ExitStack() as stack:
        four = [stack.enter_context(stand_in()) for _ in range(4)]
        nginx = stack.enter_context(run_nginx(tmp_path, [replica.port for replica in four]))
        for replica in four:
            replica.mood = "cut"
        assert ask(nginx)[0] == 503
        assert sum(len(replica.asked) for replica in four) == 2


def test_a_503_beside_a_dead_server_is_passed_on(nginx: Nginx, replicas: list[StandIn]) -> None:
    replicas[0].mood = "busy"
    replicas[1].shutdown()
    replicas[1].server_close()
    for _ in range(6):
        status, answer, _ = ask(nginx)
        assert (status, answer["error"]["type"]) in {(503, "overloaded"), (503, "not_ready")}


@pytest.mark.parametrize("path", ["/metrics", "//metrics", "/%6detrics", "/x/../metrics", "/metrics?x=1"])
def test_metrics_are_not_public(nginx: Nginx, replicas: list[StandIn], path: str) -> None:
    status, answer, _ = ask(nginx, path, None)
    assert (status, answer["error"]["type"]) == (404, "not_found")
    assert not any(replica.asked for replica in replicas)


def test_what_a_replica_learns_of_the_client(nginx: Nginx, replicas: list[StandIn]) -> None:
    ask(nginx, "/predict", X_Forwarded_For="6.6.6.6", Authorization="Bearer key")
    ask(nginx, X_Request_ID="order-7.a_b", X_Forwarded_Proto="https")
    ask(nginx, X_Request_ID='"}{')
    headers = [asked[1] for asked in sorted(replicas[0].asked + replicas[1].asked, key=lambda asked: len(asked[1]))]
    first = next(h for h in headers if "Authorization" in h)
    assert first["X-Forwarded-For"].split(", ")[-1] == "127.0.0.1"
    assert first["X-Forwarded-Proto"] == "http"
    assert first["Host"] == f"127.0.0.1:{nginx.port}"
    assert first["Authorization"] == "Bearer key"
    named = {h["X-Request-ID"] for h in headers}
    assert "order-7.a_b" in named
    assert len(named) == 3
    assert all(len(name) == 32 for name in named - {"order-7.a_b"})
    assert {h["X-Forwarded-Proto"] for h in headers} == {"http"}


def test_a_body_is_refused_before_it_was_sent(nginx: Nginx, replicas: list[StandIn]) -> None:
    with socket.create_connection(("127.0.0.1", nginx.port), 10) as client:
        client.sendall(b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: 6000000\r\n\r\n")
        assert client.recv(100).startswith(b"HTTP/1.1 413 ")
    assert not any(replica.asked for replica in replicas)


def test_a_slow_client_reaches_no_replica_before_its_body_is_there(nginx: Nginx, replicas: list[StandIn]) -> None:
    with socket.create_connection(("127.0.0.1", nginx.port), 10) as client:
        client.sendall(b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: 20\r\n\r\n")
        for _ in range(19):
            client.sendall(b" ")
            time.sleep(0.01)
        assert not any(replica.asked for replica in replicas)
        client.sendall(b" ")
        assert client.recv(100).startswith(b"HTTP/1.1 200 ")


def test_the_log_has_no_query_and_tells_who_answered(nginx: Nginx, replicas: list[StandIn]) -> None:
    replicas[0].mood = replicas[1].mood = "busy"
    ask(nginx, "/predict?text=secret", X_Request_ID="seen")
    limit = time.monotonic() + 10
    while "seen" not in nginx.access_log and time.monotonic() < limit:
        time.sleep(0.01)
    line = json.loads(nginx.access_log.splitlines()[-1])
    assert (line["path"], line["status"], line["request_id"]) == ("/predict", 503, "seen")
    assert str(replicas[0].port) in line["replica"]
    assert "secret" not in nginx.access_log


@pytest.mark.skipif(which("openssl") is None, reason="openssl, which makes the certificate, is not installed")
def test_tls_as_the_compose_file_adds_it(tmp_path: Path, replicas: list[StandIn]) -> None:
    made = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes"
    made += " -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost"
    files = ["-keyout", str(tmp_path / "key.pem"), "-out", str(tmp_path / "certificate.pem")]
    subprocess.run([*made.split(), *files], check=True, capture_output=True)
    port = free_port()
    tls = (PROJECT / "deploy" / "nginx" / "tls.conf").read_text(encoding="utf-8")
    for shipped, here in {
        "8443": f"127.0.0.1:{port}",
        "/run/secrets/certificate_key": f"{tmp_path}/key.pem",
        "/run/secrets/certificate": f"{tmp_path}/certificate.pem",
    }.items():
        assert shipped in tls
        tls = tls.replace(f" {shipped}", f" {here}")
    with run_nginx(tmp_path, [replica.port for replica in replicas], tls=tls):
        trusted = ssl.create_default_context(cafile=str(tmp_path / "certificate.pem"))
        connection = http.client.HTTPSConnection("localhost", port, timeout=30, context=trusted)
        connection.request("POST", "/predict", b"{}")
        answer = connection.getresponse()
        assert (answer.status, answer.getheader("Strict-Transport-Security")) == (200, "max-age=31536000")
        answer.read()
        connection.close()
    assert [headers["X-Forwarded-Proto"] for _, headers, _ in replicas[0].asked + replicas[1].asked] == ["https"]
