"""The transport over HTTP: the SDK's own client against the command, and whom the application turns away."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client
from starlette.testclient import TestClient

from structbert_lite.engine import Engine
from structbert_lite.errors import ConfigurationError
from structbert_lite.mcp.http import make_app
from structbert_lite.mcp.server import make_server
from structbert_lite.settings import PREFIX, PROJECT, Settings
from tests.running import PATIENCE, Running, free_port, run_apart

COMMAND = [sys.executable, "-m", "structbert_lite", "mcp", "--http", "--port"]
LIST = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
SITE = "https://pages.example"


@contextmanager
def running(models: Path, log_file: Path) -> Iterator[Running]:
    port = free_port()
    own = {f"{PREFIX}MODELS": str(models), f"{PREFIX}TIMEOUT_MS": "600000"}
    with log_file.open("wb") as log:
        process = subprocess.Popen([*COMMAND, str(port)], cwd=PROJECT, env=os.environ | own, stdout=log, stderr=log)
    try:
        server = Running(process, port, log_file)
        server.wait_for_log("Agents find the tools")
        yield server
    finally:
        process.kill()
        process.wait(PATIENCE)


def test_the_sdks_own_client_until_the_end(tiny_models: Path, tmp_path: Path) -> None:
    """SIGTERM comes while calls of both eras are under way: they are answered."""
    texts = [f"第{number}条：" + "物流很快，包装也严实，就是价格有点贵，" * 20 for number in range(80)]

    async def talk(server: Running) -> list[Any]:
        address, answers = f"http://localhost:{server.port}/mcp", []
        under_way = [anyio.Event(), anyio.Event()]

        async def call(client: Client, told: anyio.Event) -> None:
            async def tell(*progress: object) -> None:
                told.set()

            result = await client.call_tool("sentiment", {"texts": texts}, progress_callback=tell)
            answers.append(result.structured_content["results"])
            told.set()  # on a machine that needs less than a second

        async with Client(address) as newer, Client(address, mode="legacy") as older:
            assert len((await newer.list_tools()).tools) == len((await older.list_tools()).tools) == 7
            async with anyio.create_task_group() as group:
                for client, told in zip((newer, older), under_way, strict=True):
                    group.start_soon(call, client, told)
                for told in under_way:
                    await told.wait()
                server.send(signal.SIGTERM)
        return answers

    with running(tiny_models, tmp_path / "log") as server:
        assert f"Agents find the tools at http://127.0.0.1:{server.port}/mcp" in server.log
        one, other = run_apart(anyio.run, talk, server)
        assert server.process.wait(PATIENCE) == 0
        assert server.log.count("tool=sentiment error=none") == 2
        assert "物流" not in server.log
    assert one == other
    assert [result["text"] for result in one] == texts


@contextmanager
def asking(engine: Engine, **settings: Any) -> Iterator[TestClient]:
    chosen = Settings(**settings)
    app = make_app(make_server(engine, chosen), chosen)
    accepted = {"Accept": "application/json, text/event-stream"}
    with TestClient(app, base_url="http://localhost:5001", headers=accepted) as client:
        yield client


def test_whom_it_turns_away(engine: Engine) -> None:
    with asking(engine) as client:
        assert client.post("/mcp", json=LIST).status_code == 200
        for host in ("127.0.0.1:5001", "[::1]:5001"):
            assert client.post("/mcp", json=LIST, headers={"Host": host}).status_code == 200
        for given, status, kind in (
            ({"Host": "rebound.example"}, 421, "misdirected_request"),
            ({"Origin": SITE}, 403, "forbidden"),
            ({"Origin": "null"}, 403, "forbidden"),
            ({"Origin": "http://localhost:3000"}, 403, "forbidden"),
        ):
            answer = client.post("/mcp", json=LIST, headers=given)
            assert (answer.status_code, answer.json()["error"]["type"]) == (status, kind)
        for method in ("GET", "DELETE"):  # a stream that nothing is ever sent on, a session that there is not
            answer = client.request(method, "/mcp")
            assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")
        assert (
            client.options("/mcp", headers={"Origin": SITE, "Access-Control-Request-Method": "POST"}).status_code == 403
        )


def test_keys_and_quotas_are_those_of_the_api(engine: Engine) -> None:
    with asking(engine, host="0.0.0.0", api_keys="one,two", rate_limit="2/hour", allowed_hosts="localhost") as client:
        for given in ({}, {"Authorization": "Bearer three"}):
            answer = client.post("/mcp", json=LIST, headers=given)
            assert (answer.status_code, answer.json()["error"]["type"]) == (401, "unauthorized")
            assert answer.headers.get_list("WWW-Authenticate")[0].startswith("Bearer")
        for given in ({"Authorization": "Bearer one"}, {"X-API-Key": "one"}):
            assert client.post("/mcp", json=LIST, headers=given).status_code == 200
        answer = client.post("/mcp", json=LIST, headers=given)
        assert (answer.status_code, answer.json()["error"]["type"]) == (429, "rate_limited")
        assert int(answer.headers["Retry-After"]) > 0
        assert client.post("/mcp", json=LIST, headers={"X-API-Key": "two"}).status_code == 200


def test_sites_that_may_ask(engine: Engine) -> None:
    with asking(engine, cors_origins=SITE) as client:
        asked = {"Origin": SITE, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "x-api-key"}
        preflight = client.options("/mcp", headers=asked)
        assert preflight.headers["Access-Control-Allow-Origin"] == SITE
        assert preflight.headers["Access-Control-Allow-Headers"] == "x-api-key"
        answer = client.post("/mcp", json=LIST, headers={"Origin": SITE})
        assert (answer.status_code, answer.headers["Access-Control-Allow-Origin"]) == (200, SITE)
        assert client.post("/mcp", json=LIST, headers={"Origin": "https://other.example"}).status_code == 403


def test_a_body_is_bounded(engine: Engine) -> None:
    def chunks() -> Iterator[bytes]:
        yield from [b" " * (1 << 18)] * 5

    with asking(engine, max_body_mb=1) as client:
        for body in (b" " * (1 << 20 | 1), chunks()):
            answer = client.post("/mcp", content=body)
            assert (answer.status_code, answer.json()["error"]["type"]) == (413, "payload_too_large")


def test_bodies_that_do_not_come(tiny_models: Path, tmp_path: Path) -> None:
    """Who announces too much is told at once, who leaves in the middle is no fault, the silent hold up no end."""
    head = "POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n"
    with running(tiny_models, tmp_path / "log") as server:

        def send(length: int) -> socket.socket:
            client = socket.create_connection(("127.0.0.1", server.port), PATIENCE)
            client.sendall(head.format(length).encode() + b"{")
            return client

        with send(1 << 40) as client:
            assert client.recv(1 << 16).startswith(b"HTTP/1.1 413 ")
        connection = HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE)
        connection.request("POST", "/mcp", b" " * (40 << 20))  # more than lies in buffers on the way
        assert connection.getresponse().status == 413
        connection.close()
        send(100).close()
        with send(100) as client:
            server.send(signal.SIGTERM)
            assert client.recv(1 << 16).startswith(b"HTTP/1.1 408 ")
            assert server.process.wait(PATIENCE) == 0
        assert "Traceback" not in server.log


def test_other_machines_need_a_key(engine: Engine) -> None:
    with pytest.raises(ConfigurationError, match="STRUCTBERT_API_KEYS"):
        make_app(make_server(engine, Settings()), Settings(host="0.0.0.0"))


def test_a_port_that_is_taken(tiny_models: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        environment = os.environ | {f"{PREFIX}MODELS": str(tiny_models)}
        done = subprocess.run(
            [*COMMAND, str(port)], cwd=PROJECT, env=environment, capture_output=True, text=True, check=False
        )
    assert done.returncode == 1
    assert f"Error: 127.0.0.1, port {port}, cannot be listened on: Address already in use" in done.stderr
