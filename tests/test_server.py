"""gunicorn with the project's own configuration: start, answer, refuse to start, stop."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from structbert_lite.cli.server import serve
from structbert_lite.settings import PROJECT


def start(**variables: str) -> subprocess.Popen:
    environment = os.environ | {f"STRUCTBERT_{name}": value for name, value in variables.items()}
    command = [sys.executable, "-m", "gunicorn", "-c", "gunicorn.conf.py"]
    return subprocess.Popen(command, cwd=PROJECT, env=environment, stderr=subprocess.PIPE, text=True)


def refusal(**variables: str) -> str:
    process = start(**variables)
    _, log = process.communicate(timeout=60)
    assert process.returncode != 0
    assert "Traceback" not in log
    return log


def test_curl_as_in_the_readme(model_folder: Path) -> None:
    with serve(model_folder.parent, model_folder.name, cache_mb=1) as server:
        request = urllib.request.Request(
            f"http://127.0.0.1:{server.port}/predict",
            data=json.dumps({"text": "这部电影太烂了，完全浪费时间"}).encode(),
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            assert json.load(answer)["label"] == "Negative"
        assert server.memory_mb() > 0


def test_an_unknown_setting_stops_the_start_with_its_name() -> None:
    assert "STRUCTBERT_PROT is not a setting" in refusal(PROT="1")


def test_a_damaged_model_stops_the_start_with_the_files_name(model_folder: Path, tmp_path: Path) -> None:
    shutil.copytree(model_folder, tmp_path / "sentiment")
    with (tmp_path / "sentiment" / "model.onnx").open("r+b") as file:
        file.seek(1000)
        file.write(b"\x00\x01\x02")
    assert "model.onnx does not have the SHA-256" in refusal(MODELS=str(tmp_path))


def test_sigterm_stops_it_soon(model_folder: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = start(PORT=str(port))
    limit = time.monotonic() + 60
    while time.monotonic() < limit:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5).close()
            break
        except OSError:
            time.sleep(0.1)
    else:
        pytest.fail("not ready within a minute")
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)
    assert process.returncode == 0
