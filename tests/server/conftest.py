"""The real server, with few threads and little patience."""

import json
import os
import socket
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from structbert_lite.bench.server_process import Server, free_port, run_server

CONF = Path(__file__).parent / "hasty_gunicorn.py"
SITE = "https://shop.example"
TEXT = "这部电影太烂了，完全浪费时间"
BODY = json.dumps({"text": TEXT}).encode()
HEAD = b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
REQUEST = HEAD + b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    port = free_port()
    ours = {"PORT": port, "HTTP_THREADS": 4, "MAX_CONNECTIONS": 300, "MAX_BODY_MB": 1, "THREADS": 1, "LOAD": "lazy"}
    ours |= {"CORS_ORIGINS": SITE}
    environment = os.environ | {f"STRUCTBERT_{name}": str(value) for name, value in ours.items()}
    command = [sys.executable, "-m", "gunicorn", "-c", str(CONF)]
    with run_server(command, port, "/readyz", environment) as server:
        ask(server)
        yield server


def connect(server: Server) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.port), timeout=60)


def ask(server: Server) -> dict:
    """One good request on a connection of its own. Raises when it is not answered."""
    url = f"http://127.0.0.1:{server.port}/predict"
    request = urllib.request.Request(url, BODY, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)


def read_metric(server: Server, name: str) -> float:
    with urllib.request.urlopen(f"http://127.0.0.1:{server.port}/metrics", timeout=60) as answer:
        lines = answer.read().decode().splitlines()
    return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(name) and 'model="sentiment"' in line)


def read_requests(server: Server, labels: dict[str, str]) -> float:
    with urllib.request.urlopen(f"http://127.0.0.1:{server.port}/metrics", timeout=60) as answer:
        lines = answer.read().decode().splitlines()
    mine = [line for line in lines if line.startswith("structbert_http_requests_total{")]
    mine = [line for line in mine if all(f'{name}="{value}"' in line for name, value in labels.items())]
    return sum(float(line.rsplit(" ", 1)[1]) for line in mine)


def read_all(connection: socket.socket) -> bytes:
    """Everything until the server closes."""
    data = b""
    while part := connection.recv(65536):
        data += part
    return data
