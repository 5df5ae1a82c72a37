#!/usr/bin/env bash
# The MCP SDK's server on stdio gives up a tool's call that is running when its standard input ends.
#
# versions:  mcp 2.3.0, Python 3.11 (x86-64 Linux)
# behaviour: a client that writes its requests and closes its end of the pipe, as a shell's pipeline does, gets the answer of
#            `initialize` and, for a call that takes half a second, the error -32000 "Connection closed", though its other
#            end is open and read. The server then exits with 0. The same requests with the pipe left open are answered.
# one would guess: the end of the input means that no more requests come; those that came are answered first, as HTTP
#            servers do with a half-closed connection and filters with their last lines.
# seen:      closed: {"code": -32000, "message": "Connection closed"}; left open: done
# what helps: keep the server's input open until the last answer has come; or, in a server, pass the SDK a reader of
#            standard input that ends only when everything is answered.
# exits with 1 when the call is answered in both cases.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/python -m pip install --quiet --disable-pip-version-check mcp==2.3.0
cat >server.py <<'PYTHON'
import anyio
from mcp.server import MCPServer

server = MCPServer("slow")


@server.tool()
async def wait() -> str:
    await anyio.sleep(0.5)
    return "done"


server.run("stdio")
PYTHON
cat >client.py <<'PYTHON'
import json
import subprocess
import sys

HELLO = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "finding", "version": "1"}}
LINES = [
    {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": HELLO},
    {"jsonrpc": "2.0", "method": "notifications/initialized"},
    {"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": {"name": "wait", "arguments": {}}},
]


def ask(closes: bool) -> dict:
    with subprocess.Popen([sys.executable, "server.py"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as server:
        server.stdin.write("".join(json.dumps(line) + "\n" for line in LINES).encode())
        server.stdin.flush()
        if closes:
            server.stdin.close()
        answers = [json.loads(server.stdout.readline()) for _ in (1, 2)]
        server.stdin.close()
    return next(answer for answer in answers if answer["id"] == 2)


closed, left_open = ask(closes=True), ask(closes=False)
print("closed:", closed.get("error") or closed["result"]["content"][0]["text"])
print("left open:", left_open.get("error") or left_open["result"]["content"][0]["text"])
sys.exit("result" in closed and "result" in left_open)
PYTHON
venv/bin/python client.py
