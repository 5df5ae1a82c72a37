"""A job that is killed at random moments, stopped, or out of space: nothing is lost or doubled."""

import csv
import json
import os
import random
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from structbert_lite.settings import PROJECT

ROWS = 24_000
KILLS = 5


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rng = random.Random(0)
    path = tmp_path_factory.mktemp("bulk") / "pairs.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "text_a", "text_b"])
        for i in range(ROWS):
            a, b = ("".join(rng.choices('好坏快慢,"\n', k=rng.randint(0, 12))) for _ in "ab")
            writer.writerow([i, a, b])
    return path


def start(models: Path, source: Path, out: Path, **options: object) -> subprocess.Popen:
    command = [sys.executable, "-m", "structbert_lite", "score", str(source), "--task", "similarity"]
    command += ["-o", str(out), "--model", str(models / "similarity")]
    return subprocess.Popen(command, cwd=PROJECT, stderr=subprocess.PIPE, text=True, **options)


def rows_kept(out: Path) -> int:
    try:
        return json.loads(Path(f"{out}.part.json").read_text(encoding="utf-8"))["rows"]
    except FileNotFoundError:
        return -1


def wait_for_rows(job: subprocess.Popen, out: Path, more_than: int) -> None:
    """Until the journal counts more rows, or the job has ended."""
    for _ in range(6000):
        if job.poll() is not None or rows_kept(out) > more_than:
            return
        time.sleep(0.01)
    raise AssertionError("the job does not go on")


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_killed_at_random_moments_it_ends_with_the_bytes_of_an_uninterrupted_job(
    tiny_models: Path, source: Path, tmp_path: Path, ending: str
) -> None:
    if ending == "parquet":
        pytest.importorskip("pyarrow", reason="needs requirements-parquet.txt")
    whole, out = tmp_path / f"whole.{ending}", tmp_path / f"out.{ending}"
    assert start(tiny_models, source, whole).wait(120) == 3
    seed = random.randrange(1 << 30)
    rng = random.Random(seed)
    kept = [0]
    for number in range(KILLS):
        job = start(tiny_models, source, out)
        if number:  # the first is killed wherever it is, the others once they have written something
            wait_for_rows(job, out, kept[-1])
        time.sleep(rng.uniform(0, 0.25 if number else 1.5))
        how = signal.SIGINT if number == 2 else signal.SIGKILL
        job.send_signal(how)
        _, said = job.communicate(timeout=60)
        if not out.exists() or rows_kept(out) >= 0:  # a job that has ended keeps nothing
            kept.append(max(0, rows_kept(out)))
        if how == signal.SIGINT and not out.exists():
            assert job.returncode == 130, said
            assert f"{kept[-1]} rows are kept in {out}.part; the same command goes on from there" in said
            assert "Traceback" not in said
        if out.exists():
            break
    assert kept == sorted(kept), seed
    assert any(0 < rows < ROWS for rows in kept), "it was never killed in between"
    if not out.exists() or rows_kept(out) >= 0:
        job = start(tiny_models, source, out)
        assert job.wait(120) == 3
        assert f"{kept[-1]} rows of an earlier run kept" in job.stderr.read()
    assert out.read_bytes() == whole.read_bytes(), seed
    assert sorted(path.name for path in tmp_path.iterdir()) == [out.name, whole.name]


def test_out_of_space_it_stops_with_a_sentence_and_goes_on_later(
    tiny_models: Path, source: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out.csv"
    limit = 300_000

    def small_files() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    job = start(tiny_models, source, out, preexec_fn=small_files)
    _, said = job.communicate(timeout=120)
    assert job.returncode == 1
    assert "File too large" in said
    assert "rows are kept" in said
    assert "Traceback" not in said
    assert 0 < rows_kept(out) < ROWS
    again = start(tiny_models, source, out)
    assert again.communicate(timeout=120)[1].splitlines()[-1].startswith(f"{ROWS} rows")
    with out.open(encoding="utf-8", newline="") as file:
        assert [int(row["id"]) for row in csv.DictReader(file)] == list(range(ROWS))


def test_streams(tiny_models: Path) -> None:
    command = [sys.executable, "-m", "structbert_lite", "score", "-", "--task", "similarity", "-o", "-", "--quiet"]
    command += ["--model", str(tiny_models / "similarity")]
    given = "text_a,text_b\n好,好\n,坏\n"
    done = subprocess.run(command, cwd=PROJECT, input=given, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (3, "")
    assert [line.split(",")[-1] for line in done.stdout.splitlines()] == ["error", "", "text_a is empty"]
    # Who reads it leaves before the end: no complaint.
    many = "text_a,text_b\n" + "好,好\n" * 50_000
    job = subprocess.Popen(
        command, cwd=PROJECT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0
    )
    read, job.stdout = job.stdout, None
    os.close(read.fileno())
    try:
        _, said = job.communicate(many.encode(), timeout=60)
    except BrokenPipeError:
        said = job.stderr.read()
    assert job.wait(60) == 1
    assert said == b""
    if Path("/dev/full").exists():
        with open("/dev/full", "wb") as full:
            done = subprocess.run(
                command, cwd=PROJECT, input=given.encode(), stdout=full, stderr=subprocess.PIPE, timeout=60, check=False
            )
        assert done.returncode == 1
        assert done.stderr.decode() == "Error: standard output: No space left on device\nNothing is kept.\n"
