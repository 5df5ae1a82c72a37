"""gunicorn with the project's own configuration: start, answer, refuse to start, stop."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from structbert_lite.bench.server_process import free_port, serve
from structbert_lite.settings import PROJECT
from tests.running import run

ELSEWHERE = "192.0.2.1"  # no machine has this address, so that a server which should not start cannot listen either


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


def test_processes_map_the_same_weights(model_folder: Path, tmp_path: Path) -> None:
    models = tmp_path / "models"
    shutil.copytree(model_folder, models / "sentiment")
    with run(models, tmp_path / "log", workers=2, prepacked=tmp_path) as server:
        server.wait_for(lambda: server.log.count("ready: sentiment") == 2)
        pid = server.process.pid
        workers = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        mapped = [set(re.findall(rf"{tmp_path}/prepacked/.*", Path(f"/proc/{w}/maps").read_text())) for w in workers]
    (entry,) = (tmp_path / "prepacked").iterdir()
    assert mapped == [{str(entry / "model.onnx.data")}] * 2


def test_an_unknown_setting_stops_the_start_with_its_name() -> None:
    assert "STRUCTBERT_PROT is not a setting" in refusal(PROT="1")


def test_a_damaged_model_stops_the_start_with_the_files_name(model_folder: Path, tmp_path: Path) -> None:
    shutil.copytree(model_folder, tmp_path / "sentiment")
    with (tmp_path / "sentiment" / "model.onnx").open("r+b") as file:
        file.seek(1000)
        file.write(b"\x00\x01\x02")
    assert "model.onnx does not have the SHA-256" in refusal(MODELS=str(tmp_path))


def test_an_unusable_redis_stops_the_start_without_its_password() -> None:
    log = refusal(REDIS_URL="http://:secret@127.0.0.1")
    assert "structbert-lite: STRUCTBERT_REDIS_URL cannot be used" in log
    assert "secret" not in log


def test_tls_options_stop_the_start_instead_of_speaking_plain_http(tmp_path: Path) -> None:
    for name in ("cert.pem", "key.pem"):
        (tmp_path / name).write_text("")
    given = ["--certfile", str(tmp_path / "cert.pem"), "--keyfile", str(tmp_path / "key.pem")]
    command = [sys.executable, "-m", "gunicorn", "-c", "gunicorn.conf.py", *given]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode != 0
    assert "structbert-lite: it speaks no TLS" in done.stderr


def test_in_public_without_a_key_it_does_not_start() -> None:
    log = refusal(HOST=ELSEWHERE)
    assert f"structbert-lite: {ELSEWHERE} is reachable from other machines" in log
    assert "STRUCTBERT_ALLOW_PUBLIC_WITHOUT_KEYS=1" in log
    assert "holds no key" in refusal(HOST=ELSEWHERE, API_KEYS_FILE=os.devnull)


def test_an_address_on_the_command_line_counts_too() -> None:
    command = [sys.executable, "-m", "gunicorn", "-c", "gunicorn.conf.py", "-b", "127.0.0.1:0", "-b", f"{ELSEWHERE}:0"]
    done = subprocess.run(command, check=False, cwd=PROJECT, capture_output=True, text=True, timeout=60)
    assert done.returncode != 0
    assert f"{ELSEWHERE} is reachable from other machines" in done.stderr


def test_keys_can_be_changed_by_sighup_and_are_never_logged(model_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "sentiment").symlink_to(model_folder)
    keys = tmp_path / "keys"
    keys.write_text("old-and-known\n")
    port = free_port()
    process = start(PORT=str(port), MODELS=str(tmp_path / "models"), API_KEYS_FILE=str(keys), LOG_LEVEL="debug")

    def ask(key: str) -> tuple[int, str | None]:
        request = urllib.request.Request(f"http://127.0.0.1:{port}/models", headers={"X-API-Key": key})
        try:
            with urllib.request.urlopen(request, timeout=5) as answer:
                return answer.status, answer.headers["Server"]
        except urllib.error.HTTPError as error:
            error.close()
            return error.code, error.headers["Server"]
        except OSError:
            return 0, None

    def wait_for(key: str) -> None:
        limit = time.monotonic() + 60
        while ask(key)[0] != 200:
            assert time.monotonic() < limit, "not answered within a minute"
            time.sleep(0.1)

    try:
        wait_for("old-and-known")
        assert ask("old-and-known") == (200, None)
        assert ask("new-and-secret") == (401, None)
        keys.write_text("new-and-secret\n")
        process.send_signal(signal.SIGHUP)
        wait_for("new-and-secret")
        limit = time.monotonic() + 60
        while ask("old-and-known")[0] != 401:  # the old worker may still take a connection
            assert time.monotonic() < limit
            time.sleep(0.1)
    finally:
        process.terminate()
        _, log = process.communicate(timeout=60)
    assert "route=/models status=200" in log
    assert "old-and-known" not in log
    assert "new-and-secret" not in log


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
