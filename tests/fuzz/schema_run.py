"""schemathesis against a running server: every operation and every check of the server's own document."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from structbert_lite.bench.server_process import Server
from tests.fuzz.wire import exchange, read_answers

CONFIG = Path(__file__).parent / "schemathesis.toml"
HOOKS = Path(__file__).parent / "hooks.py"
AUTH = '\n[auth.openapi.header]\napi_key = "{key}"\n'
DATABASE_OFF = ["--generation-database", "none"]


def read_document(server: Server, key: str = "") -> dict:
    """The server's /openapi.json."""
    ask = f"GET /openapi.json HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nX-API-Key: {key}\r\n\r\n"
    (answer,) = read_answers(exchange(server.port, ask.encode()), ["GET"])
    return json.loads(answer.body)


def run_schemathesis(server: Server, seed: int, examples: int, key: str = "", *options: str) -> dict:
    """Schemathesis's own report of a run with `examples` random cases an operation in each phase.

    Raises AssertionError with its output where a check failed.
    """
    with tempfile.TemporaryDirectory() as folder:
        document, config, report = (Path(folder) / name for name in ("openapi.json", "config.toml", "report.json"))
        document.write_text(json.dumps(read_document(server, key)), encoding="utf-8")
        settings = f'hooks = "{HOOKS}"\n\n' + CONFIG.read_text(encoding="utf-8") + (AUTH.format(key=key) if key else "")
        config.write_text(settings, encoding="utf-8")
        command = [sys.executable, "-m", "schemathesis.cli", "--config-file", str(config)]
        command += ["run", str(document), "--url", f"http://127.0.0.1:{server.port}", "--checks", "all"]
        command += ["--seed", str(seed), "--max-examples", str(examples), *DATABASE_OFF, "--no-color"]
        command += ["--request-timeout", "60", "--continue-on-failure"]
        command += ["--report", "json", "--report-json-path", str(report), *options]
        done = subprocess.run(command, check=False, cwd=folder, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(report.read_text(encoding="utf-8"))
