"""The transport over HTTP: the SDK's own client against the command, and who is turned away by the application."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest
from mcp import Client

from structbert_lite.engine import Engine
from structbert_lite.errors import ConfigurationError
from structbert_lite.mcp.http import make_app
from structbert_lite.mcp.server import make_server
from structbert_lite.settings import PREFIX, PROJECT, Settings
from tests.running import PATIENCE, Running, free_port

LIST = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
ACCEPT = {"Accept": "application/json, text/event-stream"}
PAGE = {"Origin": "https://pages.example"}


@contextmanager
def running(models: Path, folder: Path, port: int) -> Iterator[Running]:
    command = [sys.executable, "-m", "structbert_lite", "mcp", "--http", "--port", str(port)]
    log_file = folder / "log"
    with log_file.open("wb") as log:
        process = subprocess.Popen(
            command, cwd=PROJECT, env=os.environ | {f"{PREFIX}MODELS": str(models)}, stdout=log, stderr=log
        )
    try:
        yield Running(process, port, log_file)
    finally:
        process.kill()
        process.wait(PATIENCE)


def test_the_sdks_own_client_and_the_end(tiny_models: Path, tmp_path: Path) -> None:
    """SIGTERM comes while a call is under way: its model is still being loaded. It is answered."""

    async def talk(server: Running, mode: str, text: str) -> str:
        async with Client(f"http://localhost:{server.port}/mcp", mode=mode) as client:
            if mode == "auto":
                assert len((await client.list_tools()).tools) == 7
                with pytest.raises
