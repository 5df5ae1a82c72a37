"""Parquet in and out: types stay, and nothing depends on where a window ended."""

import datetime as dt
import json
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
from click.testing import Result

pa = pytest.importorskip("pyarrow", reason="needs requirements-parquet.txt")
pq = pytest.importorskip("pyarrow.parquet")

Score = Callable[..., Result]
COLUMNS = "label score probability_Negative probability_Positive neutral uncertain truncated error".split()


def write(path: Path, count: int = 300) -> bytes:
    table = pa.table(
        {
            "id": pa.array(range(count), pa.int32()),
            "text": pa.array([None if i % 50 == 7 else f"好{i}" for i in range(count)]).dictionary_encode(),
            "when": pa.array([dt.datetime(2026, 1, 1)] * count, pa.timestamp("ns", "Asia/Shanghai")),
            "tags": pa.array([["a", None]] * count),
        }
    )
    pq.write_table(table, path, row_group_size=70)
    return path.read_bytes()


def test_parquet_to_parquet_keeps_types(score: Score, tmp_path: Path) -> None:
    done = score("sentiment", write(tmp_path / "x"), source="in.parquet", out="out.parquet")
    assert done.exit_code == 0, done.output
    assert "300 rows in: 294 scored, 6 blank, 0 wrong, 0 left out" in done.output
    table = pq.read_table(tmp_path / "out.parquet")
    before = pq.read_table(tmp_path / "in.parquet")
    assert table.column_names == [*before.column_names, *COLUMNS]
    assert table.column("when").equals(before.column("when"))
    assert table.column("tags").equals(before.column("tags"))
    assert table.column("id").equals(before.column("id"))
    assert table.column("text").to_pylist() == before.column("text").to_pylist()
    labels = table.column("label").to_pylist()
    assert [i for i, label in enumerate(labels) if label == "blank"] == [i for i in range(300) if i % 50 == 7]
    assert table.column("error").null_count == 300
    assert table.schema.field("score").type == pa.float64()
    assert table.schema.field("truncated").type == pa.bool_()


def test_windows_do_not_show_in_the_output(score: Score, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = write(tmp_path / "x")
    assert score("sentiment", data, source="in.parquet", out="one.parquet").exit_code == 0
    monkeypatch.setattr("structbert_lite.bulk.scorer.WINDOW_INPUTS", 64)
    assert score("sentiment", data, source="in.parquet", out="many.parquet").exit_code == 0
    one, many = (pq.read_table(tmp_path / f"{name}.parquet") for name in ("one", "many"))
    assert one.equals(many)


def test_every_format_into_every_other(score: Score, tmp_path: Path) -> None:
    rows = [{"text": "好", "n": 1}, {"text": "坏，\n很坏", "n": 22}]
    data = "".join(json.dumps(row) + "\n" for row in rows)
    assert score("sentiment", data, source="0.jsonl", out="1.parquet").exit_code == 0
    chain = ["1.parquet", "2.csv", "3.parquet", "4.jsonl", "5.csv"]
    for number, (source, out) in enumerate(pairwise(chain)):
        done = score("sentiment", (tmp_path / source).read_bytes(), "--prefix", f"p{number}_", source=source, out=out)
        assert done.exit_code == 0, done.output
    first, last = (pq.read_table(tmp_path / name).to_pylist() for name in ("1.parquet", "3.parquet"))
    assert [row["n"] for row in first] == [1, 22]
    assert [row["n"] for row in last] == ["1", "22"]
    for one, other in zip(first, last, strict=True):
        assert one["text"] == other["text"]
        assert one["score"] == other["p1_score"] == float(other["p0_score"])


def test_integers_of_128_bits_are_refused_in_a_sentence(score: Score) -> None:
    """Polars makes them of numbers with twenty digits; Arrow has none."""
    data = (Path(__file__).parents[1] / "tables" / "int128.parquet").read_bytes()
    done = score("sentiment", data, source="in.parquet")
    assert done.exit_code == 1
    assert "in.parquet cannot be read as Parquet: Integers with more than 64 bits" in done.output


def test_a_nan_of_parquet_is_null_in_json_lines(score: Score, tmp_path: Path) -> None:
    pq.write_table(pa.table({"text": ["好"], "n": [float("nan")]}), tmp_path / "x")
    assert score("sentiment", (tmp_path / "x").read_bytes(), source="in.parquet", out="out.jsonl").exit_code == 0
    assert json.loads((tmp_path / "out.jsonl").read_text("utf-8"), parse_constant=pytest.fail)["n"] is None


def test_vectors_and_broken_text(score: Score, tmp_path: Path) -> None:
    data = '{"text": "好", "note": "\\ud800"}\n{"text": ""}\n'
    assert score("embedding", data, source="in.jsonl", out="out.parquet").exit_code == 3
    good, bad = pq.read_table(tmp_path / "out.parquet").to_pylist()
    assert len(good["embedding"]) == 8
    assert good["note"] == "\\ud800"
    assert bad["embedding"] is None
