"""A real Ray on this machine: an actor is killed, then the whole job; no row is lost or doubled."""

import importlib.util
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from structbert_lite.settings import PROJECT

pa = pytest.importorskip("pyarrow", reason="needs requirements-parquet.txt")
pq = pytest.importorskip("pyarrow.parquet")
if importlib.util.find_spec("ray") is None:
    pytest.skip("needs requirements-ray.txt", allow_module_level=True)

ROWS, SHARD_ROWS = 10_000, 250
SHARDS = ROWS // SHARD_ROWS
PATIENCE = 400  # seconds; on a quiet machine a start takes a few


def start(models: Path, source: Path, out: Path) -> subprocess.Popen:
    command = [sys.executable, "-m", "structbert_lite", "score", str(source), "--task", "sentiment", "-o", str(out)]
    command += ["--model", str(models / "sentiment"), "--executor", "ray", "--actors", "2"]
    command += ["--shard-rows", str(SHARD_ROWS)]
    return subprocess.Popen(command, cwd=PROJECT, stderr=subprocess.PIPE, text=True)


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


def finished(out: Path) -> list[Path]:
    return sorted(out.glob("part-*.parquet"))


def wait_for(job: subprocess.Popen, out: Path, shards: int) -> None:
    limit = time.monotonic() + PATIENCE
    while len(finished(out)) < shards:
        assert job.poll() is None, job.stderr.read()
        assert time.monotonic() < limit, "the job does not go on"
        time.sleep(0.01)


def kill_an_actor(job: subprocess.Popen, out: Path) -> bool:
    """Whether it was in the middle of a shard: its attempt is left behind."""
    attempts = list(out.glob(".attempt-*"))
    actors = [pid for pid in below(job.pid) if "_Worker.score" in title(pid)]
    if not actors or not attempts:
        return False
    os.kill(actors[0], signal.SIGKILL)
    wait_for(job, out, len(finished(out)) + 4)
    return any(attempt.exists() for attempt in attempts)


def test_an_actor_and_then_the_job_are_killed(score: Callable[..., Result], tiny_models: Path, tmp_path: Path) -> None:
    source, out = tmp_path / "in.parquet", tmp_path / "out"
    texts = [None if i % 997 == 7 else "好坏快慢"[i % 4] * (i % 23) + str(i) for i in range(ROWS)]
    pq.write_table(pa.table({"id": pa.array(range(ROWS)), "text": texts}), source, row_group_size=600)
    assert score("sentiment", source.read_bytes(), source="same.parquet", out="whole.parquet").exit_code == 3
    job = start(tiny_models, source, out)
    processes = []
    try:
        wait_for(job, out, 2)
        limit = time.monotonic() + PATIENCE
        while not kill_an_actor(job, out):
            assert time.monotonic() < limit
            assert len(finished(out)) < SHARDS - 4, "no actor was killed within a shard"
        processes = below(job.pid)
    finally:
        job.kill()
    job.communicate(timeout=PATIENCE)
    kept = {path.name: path.stat().st_mtime_ns for path in finished(out)}
    assert 2 <= len(kept) < SHARDS
    limit = time.monotonic() + PATIENCE
    while left := [title(pid) for pid in processes if "ray" in title(pid)]:
        assert time.monotonic() < limit, left
        time.sleep(0.1)

    kept = {path.name: path.stat().st_mtime_ns for path in finished(out)}
    again = start(tiny_models, source, out)
    _, said = again.communicate(timeout=PATIENCE)
    assert again.returncode == 3, said
    assert f"{len(kept) * SHARD_ROWS} rows of an earlier run kept" in said
    assert {name: (out / name).stat().st_mtime_ns for name in kept} == kept
    names = [f"part-{number:06}.parquet" for number in range(SHARDS)]
    assert sorted(path.name for path in out.iterdir()) == ["_SUCCESS", "_job.json", *names]
    assert pq.read_table(out).equals(pq.read_table(tmp_path / "whole.parquet"))
