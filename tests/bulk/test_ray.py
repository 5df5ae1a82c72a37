"""A real Ray on this machine: an actor is killed, then the whole job; no row is lost or doubled."""

import importlib.util
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import Result

from structbert_lite.settings import PROJECT
from tests.running import free_port

pa = pytest.importorskip("pyarrow", reason="needs requirements-parquet.txt")
pq = pytest.importorskip("pyarrow.parquet")
if importlib.util.find_spec("ray") is None or importlib.util.find_spec("pandas") is None:
    pytest.skip("needs requirements-ray.txt: make test-ray", allow_module_level=True)

ROWS, SHARD_ROWS = 10_000, 500
SHARDS = ROWS // SHARD_ROWS
PATIENCE = 400  # seconds; on a quiet machine a start takes ten
LEFT_BY = "RAY_gcs_rpc_server_reconnect_timeout_s"  # how long Ray's processes look for a head that was killed


@pytest.fixture
def surroundings(tmp_path: Path) -> dict[str, str]:
    """The environment of Ray's processes: on loopback, with a home of their own for Ray's token."""
    return os.environ | {"HOME": str(tmp_path), "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0", LEFT_BY: "20"}


Start = Callable[..., subprocess.Popen]


@pytest.fixture
def start(tiny_models: Path, surroundings: dict[str, str]) -> Start:
    def start(source: Path, out: Path, *options: str) -> subprocess.Popen:
        command = [sys.executable, "-m", "structbert_lite", "score", str(source), "--task", "sentiment"]
        command += ["-o", str(out), "--model", str(tiny_models / "sentiment"), "--executor", "ray"]
        command += ["--actors", "2", "--shard-rows", str(SHARD_ROWS), *options]
        return subprocess.Popen(command, cwd=PROJECT, env=surroundings, stderr=subprocess.PIPE, text=True)

    return start


@pytest.fixture
def cluster(surroundings: dict[str, str]) -> Iterator[str]:
    """The address of a Ray that was there before, with a CPU for one actor."""
    port = free_port()
    command = [sys.executable, "-m", "ray.scripts.scripts", "start", "--head", "--block", "--num-cpus=1"]
    command += [f"--port={port}", "--include-dashboard=false", "--disable-usage-stats"]
    head = subprocess.Popen(command, cwd=PROJECT, env=surroundings, stdout=subprocess.PIPE, text=True)
    try:
        assert any("Ray runtime started" in line for line in head.stdout)
        yield f"127.0.0.1:{port}"
    finally:
        processes = below(head.pid)
        head.terminate()
        head.communicate(timeout=PATIENCE)
        wait_for_the_end(processes)


def write(path: Path) -> None:
    texts = [None if i % 997 == 7 else "好坏快慢"[i % 4] * (i % 23) + str(i) for i in range(ROWS)]
    pq.write_table(pa.table({"id": pa.array(range(ROWS)), "text": texts}), path, row_group_size=600)


def below(pid: int) -> list[int]:
    """All processes below `pid`."""
    try:
        found = [int(c) for file in Path(f"/proc/{pid}/task").glob("*/children") for c in file.read_text().split()]
    except OSError:
        return []
    return found + [other for child in found for other in below(child)]


def title(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text(errors="replace")
    except OSError:
        return ""


def wait_for_the_end(processes: list[int], word: str = "ray") -> None:
    """Of those with `word` in their command line."""
    limit = time.monotonic() + PATIENCE
    while left := [title(pid) for pid in processes if word in title(pid)]:
        assert time.monotonic() < limit, left
        time.sleep(0.1)


def finished(out: Path) -> list[Path]:
    return sorted(out.glob("part-*.parquet"))


def wait_for(job: subprocess.Popen, out: Path, shards: int) -> None:
    limit = time.monotonic() + PATIENCE
    while len(finished(out)) < shards:
        assert job.poll() is None, job.stderr.read()
        assert time.monotonic() < limit, "the job does not go on"
        time.sleep(0.01)


def is_within_a_shard(pid: int) -> bool:
    try:
        return any(".attempt-" in os.readlink(file) for file in Path(f"/proc/{pid}/fd").iterdir())
    except OSError:
        return False


def kill_an_actor(job: subprocess.Popen) -> None:
    """Kills one of the two in the middle of a shard."""
    actors = [pid for pid in below(job.pid) if "MapWorker" in title(pid)]
    assert len(actors) == 2
    limit = time.monotonic() + PATIENCE
    while True:
        assert time.monotonic() < limit
        for pid in actors:
            if is_within_a_shard(pid):
                os.kill(pid, signal.SIGSTOP)
                time.sleep(0.05)
                if is_within_a_shard(pid):
                    os.kill(pid, signal.SIGKILL)
                    return
                os.kill(pid, signal.SIGCONT)


def test_an_actor_and_then_the_job_are_killed(score: Callable[..., Result], start: Start, tmp_path: Path) -> None:
    source, out = tmp_path / "in.parquet", tmp_path / "out"
    write(source)
    assert score("sentiment", source.read_bytes(), source="same.parquet", out="whole.parquet").exit_code == 0
    job = start(source, out)
    processes = []
    try:
        wait_for(job, out, 2)
        kill_an_actor(job)
        wait_for(job, out, len(finished(out)) + 4)
        processes = below(job.pid)
    finally:
        job.kill()
    job.communicate(timeout=PATIENCE)
    assert 2 <= len(finished(out)) < SHARDS
    wait_for_the_end(processes, "MapWorker")
    kept = {path.name: path.stat().st_mtime_ns for path in finished(out)}
    assert list(out.glob(".attempt-*"))

    again = start(source, out)
    _, said = again.communicate(timeout=PATIENCE)
    assert again.returncode == 0, said
    assert f"{len(kept) * SHARD_ROWS} rows of an earlier run kept" in said
    assert len(said.splitlines()) == 1, "Ray's own lines are on the terminal"
    assert {name: (out / name).stat().st_mtime_ns for name in kept} == kept
    names = [f"part-{number:06}.parquet" for number in range(SHARDS)]
    assert sorted(path.name for path in out.iterdir()) == ["_SUCCESS", "_job.json", *names]
    assert pq.read_table(out).equals(pq.read_table(tmp_path / "whole.parquet"))
    wait_for_the_end(processes)


def test_a_cluster_has_an_address(score: Callable[..., Result], start: Start, cluster: str, tmp_path: Path) -> None:
    source, out = tmp_path / "in.parquet", tmp_path / "out"
    write(source)
    assert score("sentiment", source.read_bytes(), source="same.parquet", out="whole.parquet").exit_code == 0
    job = start(source, out, "--ray-address", cluster)  # two actors, one of which has no CPU
    _, said = job.communicate(timeout=PATIENCE)
    assert job.returncode == 0, said
    assert pq.read_table(out).equals(pq.read_table(tmp_path / "whole.parquet"))

    page = pq.ParquetFile(source).metadata.row_group(12).column(1)
    broken = bytearray(source.read_bytes())
    broken[page.dictionary_page_offset : page.dictionary_page_offset + 60] = os.urandom(60)
    source.write_bytes(broken)
    job = start(source, tmp_path / "other", "--ray-address", cluster)
    _, said = job.communicate(timeout=PATIENCE)
    assert job.returncode == 1
    assert f"Error: {source} cannot be read beyond row " in said
    assert "Traceback" not in said

    job = start(source, tmp_path / "other", "--ray-address", f"127.0.0.1:{free_port()}")
    _, said = job.communicate(timeout=PATIENCE)
    assert "Error: no Ray answers at 127.0.0.1:" in said
