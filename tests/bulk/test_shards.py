"""Scoring by shards, without a cluster: cut anywhere, put together again, it is what the local executor writes."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from click.testing import CliRunner, Result

from structbert_lite.bulk.command import command
from structbert_lite.bulk.job import Job
from structbert_lite.bulk.scorer import Scorer
from structbert_lite.bulk.shards import ShardFolder, count_shard, cut_shards, plan_shards, score_shard
from structbert_lite.errors import StructBertError
from structbert_lite.settings import PROJECT
from structbert_lite.tables.formats import open_parquet

pa = pytest.importorskip("pyarrow", reason="needs requirements-parquet.txt")
pq = pytest.importorskip("pyarrow.parquet")

Score = Callable[..., Result]


def write(path: Path, first: int, count: int) -> None:
    texts = [None if i % 50 == 7 else f"好{i}" for i in range(first, first + count)]
    table = pa.table({"id": pa.array(range(first, first + count), pa.int32()), "text": pa.array(texts, pa.string())})
    pq.write_table(table, path, row_group_size=70)


def job_of(models: Path, source: Path, out: Path) -> Job:
    return Job("sentiment", models / "sentiment", source, out, "parquet", "parquet", ("text",), {})


@pytest.fixture
def scorer(tiny_models: Path) -> Scorer:
    scorer = Scorer(job_of(tiny_models, Path("-"), Path("-")))
    yield scorer
    scorer.close()


def test_shards_have_the_rows_of_the_local_executor(
    score: Score, scorer: Scorer, tiny_models: Path, tmp_path: Path
) -> None:
    source, out = tmp_path / "in", tmp_path / "out"
    source.mkdir()
    write(source / "a.parquet", 0, 300)
    write(source / "b.parquet", 300, 0)
    write(source / "c.parquet", 300, 130)
    job = job_of(tiny_models, source, out)
    plan = plan_shards(job, scorer, 110)
    folder = ShardFolder(out, {}, False)
    errors = [score_shard(job, lambda: scorer, shard, out) for shard in reversed(plan.shards)]
    folder.close()
    assert [shard.rows for shard in plan.shards] == [110, 110, 80, 0, 110, 20]
    assert [count_shard(job, shard, out) for shard in reversed(plan.shards)] == errors
    write(tmp_path / "x", 0, 430)
    done = score("sentiment", (tmp_path / "x").read_bytes(), source="in.parquet", out="whole.parquet")
    assert done.exit_code == 0, done.output
    assert pq.read_table(out).equals(pq.read_table(tmp_path / "whole.parquet"))


def test_only_the_row_groups_of_a_shard_are_read(tmp_path: Path) -> None:
    write(tmp_path / "in.parquet", 0, 300)
    source = open_parquet(tmp_path / "in.parquet")
    for first, stop in [(0, 300), (0, 70), (69, 71), (140, 141), (150, 300), (300, 300), (299, 300)]:
        rows = [r.values["id"] for window in source.windows(32, first, stop) for r in window.records]
        assert rows == list(range(first, stop))
    broken = bytearray((tmp_path / "in.parquet").read_bytes())
    broken[4:40] = os.urandom(36)  # within the first row group
    (tmp_path / "in.parquet").write_bytes(broken)
    assert sum(len(window.records) for window in source.windows(32, 70)) == 230


def test_an_unfinished_shard_leaves_nothing(scorer: Scorer, tiny_models: Path, tmp_path: Path) -> None:
    write(tmp_path / "in.parquet", 0, 300)
    out = tmp_path / "out"
    out.mkdir()
    job = job_of(tiny_models, tmp_path / "in.parquet", out)
    (shard,) = cut_shards([(job.source, 300)], 300)

    def fail(_: object) -> None:
        assert [path.name[:15] for path in out.iterdir()] == [".attempt-000000"]
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        score_shard(job, lambda: SimpleNamespace(score=fail, columns=scorer.columns), shard, out)
    assert list(out.iterdir()) == []


def test_a_shard_that_ends_its_process_is_given_up(scorer: Scorer, tiny_models: Path, tmp_path: Path) -> None:
    write(tmp_path / "in.parquet", 0, 300)
    out = tmp_path / "out"
    ShardFolder(out, {}, False).close()
    job = job_of(tiny_models, tmp_path / "in.parquet", out)
    poison, other = cut_shards([(job.source, 300)], 200)
    ended = "import os, pathlib; from structbert_lite.bulk.shards import *\nwith make_shard({}, {}): os._exit(9)"
    call = ended.format(f"pathlib.{out!r}", f"Shard(0, pathlib.{poison.source!r}, 0, 200)")
    for _ in range(3):
        assert subprocess.run([sys.executable, "-c", call], cwd=PROJECT, check=False).returncode == 9
    with pytest.raises(StructBertError, match=r"3 processes have ended .* part-000000\.parquet, rows 0 to 200 of "):
        score_shard(job, lambda: scorer, poison, out)
    assert score_shard(job, lambda: scorer, other, out) == (100, 0, 2, 0)
    folder = ShardFolder(out, {}, False)  # the same command once more
    assert score_shard(job, lambda: scorer, poison, out) == (200, 0, 4, 0)
    folder.finish()
    folder.close()
    assert len(list(out.iterdir())) == 4


def test_a_folder_belongs_to_one_job(tmp_path: Path) -> None:
    out = tmp_path / "out"
    folder = ShardFolder(out, {"task": "a"}, False)
    with pytest.raises(ValueError, match="another process"):
        ShardFolder(out, {"task": "a"}, False)
    (out / ".attempt-000001-x").touch()
    (out / "part-000000.parquet").touch()
    folder.finish()
    folder.close()
    with pytest.raises(ValueError, match="other task; --restart"):
        ShardFolder(out, {"task": "b"}, False)
    again = ShardFolder(out, {"task": "a"}, False)
    assert again.has(cut_shards([(out, 1)], 1)[0])
    assert sorted(path.name for path in out.iterdir()) == ["_SUCCESS", "_job.json", "part-000000.parquet"]
    again.close()
    ShardFolder(out, {"task": "b"}, True).close()
    assert [path.name for path in out.iterdir()] == ["_job.json"]
    (out / "mine.txt").touch()
    with pytest.raises(ValueError, match=r"something else: mine\.txt"):
        ShardFolder(out, {"task": "b"}, True)


def test_what_cannot_be_done_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "in.parquet", 0, 1)
    (tmp_path / "in.csv").write_text("text\n好\n", encoding="utf-8")

    def said(source: str, out: str, *options: str) -> str:
        given = [str(tmp_path / source), "--task", "sentiment", "-o", str(tmp_path / out), *options]
        done = CliRunner().invoke(command, given)
        assert done.exit_code == 1
        return done.output

    assert "reads a Parquet file or a folder" in said("in.csv", "out", "--executor", "ray")
    assert "writes a folder" in said("in.parquet", "in.csv", "--executor", "ray")
    assert "--actors needs --executor ray" in said("in.parquet", "out.parquet", "--actors", "2")
    assert "is a folder, which only" in said("", "out.parquet")
    monkeypatch.setitem(sys.modules, "ray", None)
    monkeypatch.delitem(sys.modules, "structbert_lite.bulk.ray", raising=False)
    assert "pip install -r requirements-ray.txt" in said("in.parquet", "out", "--executor", "ray")
