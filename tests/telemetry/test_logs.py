"""The log under the real server: what it says of each request, and that it never holds a text."""

import base64
import json
import logging
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

import pytest
from flask import Flask

from app import create_app
from structbert_lite.bench.server_process import free_port
from structbert_lite.settings import PROJECT, Settings
from structbert_lite.telemetry.logs import GunicornFilter, LineFormatter, TextFormatter, request_id

MARKER = "zhimakaimen只有我知道的暗号"


def forms(text: str) -> list[str]:
    """How a text may look in a log: as it is, escaped in one way or another, or only its ASCII half."""
    half = text[:12]
    return [
        text,
        half,
        text[12:],
        json.dumps(text[12:])[1:-1],
        repr(text[12:].encode())[2:-1],
        urllib.parse.quote(text[12:]),
        base64.b64encode(half.encode()).decode(),
    ]


class LoggedServer:
    def __init__(self, models: Path, log: Path, **settings: str) -> None:
        self.port, self.log = free_port(), log
        ours = {"PORT": str(self.port), "MODELS": str(models), "MAX_ITEMS": "4", "MAX_BODY_MB": "1"} | settings
        environment = os.environ | {f"STRUCTBERT_{name}": value for name, value in ours.items()}
        command = [sys.executable, "-m", "gunicorn", "-c", "gunicorn.conf.py", "--access-logfile", "-"]
        with log.open("wb") as file:
            self.process = subprocess.Popen(command, cwd=PROJECT, env=environment, stdout=file, stderr=file)
        limit = time.monotonic() + 60
        while self.ask("/readyz") != 200:
            assert self.process.poll() is None, log.read_text()
            assert time.monotonic() < limit
            time.sleep(0.1)

    def ask(self, path: str, body: bytes | None = None, kind: str = "application/json", **headers: str) -> int:
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", data=body)
        for name, value in {"Content-Type": kind, **headers}.items():
            request.add_header(name.replace("_", "-"), value)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            return 0

    def send_raw(self, data: bytes) -> None:
        with socket.create_connection(("127.0.0.1", self.port), 10) as connection:
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(4096):
                pass

    def stop(self) -> str:
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(60)
        return self.log.read_text(encoding="utf-8")


def put_the_marker_everywhere(server: LoggedServer) -> None:
    def post(path: str, value: object) -> int:
        return server.ask(path, json.dumps(value, ensure_ascii=False).encode())

    quoted = urllib.parse.quote(MARKER)
    assert post("/predict", {"text": MARKER}) == 200
    assert post("/predict_batch", {"texts": [MARKER, MARKER * 2]}) == 200
    assert post("/predict_batch", {"texts": [MARKER] * 5}) == 413
    assert post("/predict", {"text": MARKER, MARKER: 1}) == 422
    assert post("/predict", {"text": [MARKER]}) == 422
    assert post("/predict", {"text": MARKER * 100_000}) == 413
    assert post("/similarity", {"text_a": MARKER, "text_b": MARKER}) == 200
    assert post("/embed", {"texts": [MARKER]}) == 200
    assert post("/classify", {"text": MARKER, "labels": [MARKER], "hypothesis_template": MARKER}) == 422
    assert post("/rerank", {"query": MARKER, "documents": [MARKER, {"text": MARKER}]}) == 200
    assert post("/v1/embeddings", {"model": MARKER, "input": MARKER, "user": MARKER}) == 200
    assert post("/v1/embeddings", {"model": MARKER, "input": MARKER, "encoding_format": MARKER}) >= 400
    assert post("/v2/rerank", {"model": MARKER, "query": MARKER, "documents": [MARKER]}) == 200
    assert post("/predict", {"inputs": MARKER, "parameters": MARKER}) in {200, 422}
    assert server.ask("/predict", f'{{"text": "{MARKER}"'.encode()) == 400
    assert server.ask("/predict", f'{{"text": "{MARKER}", "text": "{MARKER}"}}'.encode()) == 400
    assert server.ask("/predict", MARKER.encode("gb18030")) == 400
    assert server.ask("/predict", MARKER.encode(), "text/plain") == 415
    assert (
        server.ask("/", urllib.parse.urlencode({"text": MARKER}).encode(), "application/x-www-form-urlencoded") == 200
    )
    assert server.ask(f"/{quoted}") == 404
    assert server.ask(f"/predict?text={quoted}") == 405
    assert (
        server.ask("/", Referer=f"http://localhost/?{quoted}", User_Agent="zhimakaimen", Cookie="a=zhimakaimen") == 200
    )
    text = MARKER.encode()
    head = b"POST /predict HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
    for raw in (
        b"GET /" + text + b" zhimakaimen HTTP/1.1\r\n\r\n",
        b"zhimakaimen / HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET / zhimakaimen/1.1\r\n\r\n",
        b"GET / HTTP/9.zhimakaimen\r\n\r\n",
        text + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\nzhima(kaimen) zhimakaimen: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nExpect: zhimakaimen\r\n\r\n",
        head + b"Transfer-Encoding: zhimakaimen\r\n\r\n",
        head + b"Transfer-Encoding: chunked\r\n\r\nzhimakaimen\r\n" + text,
        head + b"Content-Length: 1000\r\n\r\n" + text,
        head + b"Content-Length: zhimakaimen\r\n\r\n" + text,
        b"GET /zhimakaimen",
    ):
        server.send_raw(raw)


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_no_text_is_ever_in_the_log(tiny_models: Path, tmp_path: Path, log_format: str) -> None:
    server = LoggedServer(tiny_models, tmp_path / "log", LOG_FORMAT=log_format, LOG_LEVEL="debug")
    try:
        put_the_marker_everywhere(server)
        assert server.ask("/predict", json.dumps({"text": "好"}).encode(), X_Request_ID="my.id-1") == 200
    finally:
        log = server.stop()
    for form in forms(MARKER):
        assert form not in log
    lines = [line for line in log.splitlines() if "my.id-1" in line and "/predict" in line]
    assert len(lines) == 1
    if log_format == "text":
        assert "request method=POST route=/predict status=200 duration_ms=" in lines[0]
        return
    facts = json.loads(lines[0])
    assert facts["duration_ms"] > 0
    assert facts["time"].endswith("+00:00")
    del facts["duration_ms"], facts["time"]
    assert facts == {
        "level": "INFO",
        "logger": "structbert_lite.access",
        "message": "request",
        "request_id": "my.id-1",
        "method": "POST",
        "route": "/predict",
        "status": 200,
        "task": "sentiment",
        "items": 1,
    }
    access = [json.loads(line) for line in log.splitlines() if '"structbert_lite.access"' in line]
    assert {line["error"] for line in access if line["status"] == 404} == {"not_found"}
    assert len({line["request_id"] for line in access}) == len(access)


@pytest.mark.parametrize("formatter", [TextFormatter(), LineFormatter()])
def test_an_unexpected_error_leaves_its_stack_and_not_its_message(
    tiny_models: Path, caplog: pytest.LogCaptureFixture, formatter: logging.Formatter
) -> None:
    app: Flask = create_app(Settings(models=tiny_models))

    def fail(*_: object, **__: object) -> None:
        raise KeyError(MARKER) from ValueError(f"a cause with {MARKER}")

    app.extensions["structbert_engine"].predict = fail
    lines: list[str] = []

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(self.format(record))

    handler = Keep()
    handler.setFormatter(formatter)
    logging.getLogger("structbert_lite").addHandler(handler)
    try:
        answer = app.test_client().post("/predict", json={"text": MARKER})
    finally:
        logging.getLogger("structbert_lite").removeHandler(handler)
    log = "\n".join(lines)
    assert answer.status_code == 500
    assert "KeyError" in log
    assert "ValueError" in log
    assert "in fail" in log
    assert answer.headers["X-Request-ID"] in log
    for form in forms(MARKER):
        assert form not in log
        assert form not in answer.get_data(as_text=True)
    assert "Traceback" not in answer.get_data(as_text=True)


def test_outside_of_a_request_an_error_says_what_it_says() -> None:
    assert request_id.get() == ""
    try:
        raise OSError("no space left")
    except OSError:
        record = logging.LogRecord("a", logging.ERROR, "", 0, "it failed", (), sys.exc_info())
    assert "no space left" in TextFormatter().format(record)
    assert "no space left" in json.loads(LineFormatter().format(record))["exception"]


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        (
            "Invalid request from ip=::1: Invalid HTTP method: 'a: b'",
            "Invalid request from ip=::1: Invalid HTTP method",
        ),
        ("Worker exiting (pid: 7)", "Worker exiting (pid: 7)"),
    ],
)
def test_gunicorns_lines_keep_what_is_not_a_clients(said: str, kept: str) -> None:
    record = logging.LogRecord("gunicorn.error", logging.WARNING, "", 0, said, (), None)
    GunicornFilter().filter(record)
    assert record.getMessage() == kept
