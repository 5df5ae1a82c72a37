"""`structbert-lite mcp` as agents start it: the SDK's own client, and lines written by hand."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client, StdioServerParameters

from structbert_lite.settings import PROJECT
from tests.running import PATIENCE, run_apart

COMMAND = [sys.executable, "-m", "structbert_lite", "mcp"]
HELLO = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "hand", "version": "1"}}


def message(method: str, number: int | None = None, **params: Any) -> str:
    own = {} if number is None else {"id": number}
    return json.dumps({"jsonrpc": "2.0", **own, "method": method, "params": params}, ensure_ascii=False)


def call(number: int, text: str) -> str:
    return message("tools/call", number, name="sentiment", arguments={"texts": [text]})


@contextmanager
def started(models: Path) -> Iterator[subprocess.Popen]:
    """The command, greeted: its first answer has been read."""
    environment = {"STRUCTBERT_MODELS": str(models), "XDG_CACHE_HOME": str(models / "cache")}
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    process = subprocess.Popen(COMMAND, cwd=PROJECT, env=environment, **pipes)
    try:
        write(process, message("initialize", 0, **HELLO), message("notifications/initialized"))
        assert json.loads(process.stdout.readline())["result"]["serverInfo"]["name"] == "structbert-lite"
        yield process
    finally:
        process.kill()
        process.communicate()


def write(process: subprocess.Popen, *lines: str) -> None:
    process.stdin.write("".join(f"{line}\n" for line in lines).encode())
    process.stdin.flush()


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_the_sdks_own_client(tiny_models: Path, mode: str) -> None:
    server = StdioServerParameters(
        command=COMMAND[0], args=COMMAND[1:], cwd=PROJECT, env={"STRUCTBERT_MODELS": str(tiny_models)}
    )

    async def talk() -> tuple[int, dict[str, Any]]:
        async with Client(server, mode=mode) as client:
            tools = (await client.list_tools()).tools
            answer = await client.call_tool("sentiment", {"texts": ["物流很快"]})
            return len(tools), answer.structured_content

    tools, answer = run_apart(anyio.run, talk)
    assert tools == 7
    assert answer["results"][0]["label"] == "Positive"


def test_everything_is_answered_before_the_end(tiny_models: Path) -> None:
    """As from a file: the input ends while the model is still being loaded. Standard output has messages alone."""
    with started(tiny_models) as process:
        odd = message("notifications/cancelled", requestId=[])
        rest = f"no message\n\n{odd}\n{call(1, '物流很快')}\n{call(2, ' ')}\n{call(3, '太差了')}"  # the last has no end
        out, log = process.communicate(rest.encode(), PATIENCE)
    assert process.returncode == 0, log
    answers = {answer["id"]: answer for answer in map(json.loads, out.decode().splitlines())}
    assert answers.keys() == {None, 1, 2, 3}
    assert answers[None]["error"]["message"] == "this line is not a message of JSON-RPC 2.0"
    labels = [answers[number]["result"]["structuredContent"]["results"][0]["label"] for number in (1, 3)]
    assert labels == ["Positive", "Negative"]
    assert answers[2]["result"]["content"][0]["text"] == "texts[0]: the text has no readable characters"
    assert "tool=sentiment error=invalid_input" in log.decode()
    assert "物流" not in log.decode()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_while_it_waits(tiny_models: Path, number: signal.Signals) -> None:
    with started(tiny_models) as process:
        process.send_signal(number)
        assert process.wait(PATIENCE) == 0
        assert process.communicate() == (b"", b"")


def test_a_client_that_is_gone_is_no_error(tiny_models: Path) -> None:
    with started(tiny_models) as process:
        process.stdout.close()
        write(process, call(1, "物流很快"))
        assert process.wait(PATIENCE) == 0
        assert "Traceback" not in process.stderr.read().decode()


def test_what_is_wrong_at_the_start_is_a_sentence(tmp_path: Path) -> None:
    without = [
        sys.executable,
        "-c",
        "import sys; sys.modules['mcp'] = None\nfrom structbert_lite.__main__ import main; main()",
    ]
    for command, settings, said in (
        ([*without, "mcp"], {}, "pip install -r requirements-mcp.txt"),
        (COMMAND, {"STRUCTBERT_MODELS": str(tmp_path)}, "there is no model in"),
        (COMMAND, {"STRUCTBERT_MODEL": "x"}, "STRUCTBERT_MODEL is not a setting"),
        ([*COMMAND, "--http", "--host", "0.0.0.0"], {}, "STRUCTBERT_ALLOW_PUBLIC_WITHOUT_KEYS=1"),
    ):
        done = subprocess.run(command, cwd=PROJECT, env=settings, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout) == (1, "")
        assert said in done.stderr
        assert "Traceback" not in done.stderr
