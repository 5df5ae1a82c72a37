"""A short run of the curves, and their page."""

import sys
from pathlib import Path

import pytest

from benchmarks.plot import draw_curves
from benchmarks.scaling import MODEL, TEXTS, TOKENS, alone, busy, cache_points, running_on, texts_by_tokens
from benchmarks.scaling_page import growth, page
from benchmarks.trees import Tree
from benchmarks.wrk import predict_body
from structbert_lite.inference.tokenizer import Tokenizer
from structbert_lite.manifest import TOKENIZER_NAME
from structbert_lite.settings import PROJECT

ROW = {"p50_ms": 4.0, "cpu_ms": 5.0, "per_second": 400.0, "cpu_ms_early_exit": 4.0}
AT = {f"{name}_{cpus}": ROW[name] * cpus for cpus in (1, 2) for name in ("per_second", "p50_ms", "cpu_ms")}


def test_texts_have_exactly_so_many_tokens() -> None:
    tokenizer = Tokenizer(MODEL / TOKENIZER_NAME, 512)
    for tokens, texts in texts_by_tokens(tokenizer).items():
        assert len(set(texts)) == TEXTS
        assert {len(encoding.ids) for encoding in tokenizer.encode(texts)} == {tokens}
    assert tokens == TOKENS[-1]


def test_a_server_on_one_cpu_is_measured(tmp_path: Path) -> None:
    (tmp_path / "sentiment").symlink_to(MODEL)
    tree = Tree("tree", PROJECT, sys.executable, tmp_path)
    with running_on(tree, 1, cache_mb=0) as server:
        affinity = Path(f"/proc/{server.pid}/status").read_text().partition("Cpus_allowed_list:")[2].split()[0]
        lone = alone(server, "/predict", map(predict_body, ["房间很干净", "太慢了"]), 0.0)
        loaded = busy(server, ["房间很干净", "太慢了"], 2, 1)
    assert affinity.isdigit()
    assert lone["p50_ms"] > 0
    assert loaded["cpu_ms"] > 0
    assert loaded["per_second"] > 0


def test_an_answer_with_an_error_is_no_figure(tmp_path: Path) -> None:
    (tmp_path / "sentiment").symlink_to(MODEL)
    tree = Tree("tree", PROJECT, sys.executable, tmp_path)
    with tree.running(cache_mb=0) as server, pytest.raises(RuntimeError, match="/rerank gave no answer of 200"):
        alone(server, "/rerank", iter([{"query": "a", "documents": ["b"]}]), 0.0)


def test_the_cache_is_filled_and_stays_full() -> None:
    empty, full = cache_points([0, 60_000])
    assert (empty["entries"], full["entries"]) == (0, 60_000)
    assert full["memory_mb"] > 5
    assert min(full["hit_us"], full["miss_us"], full["put_us"]) > 0


@pytest.mark.parametrize(("after", "exponent"), [({"n": 4, "ms": 20.0}, "1.00"), ({"n": 4, "ms": 80.0}, "2.00")])
def test_growth_is_an_exponent(after: dict[str, float], exponent: str) -> None:
    assert growth({"n": 2, "ms": 10.0 if exponent == "1.00" else 20.0}, after, "n", "ms") == exponent
    assert growth({"n": 0, "ms": 1.0}, after, "n", "ms") == "–"


def test_the_page_marks_the_estimate_and_shows_its_arithmetic(tmp_path: Path) -> None:
    curves = {name: [{name: size} | ROW for size in (1, 2)] for name in ("tokens", "labels", "documents")}
    curves |= {"clients": [{"clients": 1} | AT, {"clients": 16} | AT], "cached": [ROW]}
    curves["cache"] = [{"entries": 1000, "memory_mb": 1.0, "hit_us": 1.0, "miss_us": 1.0, "put_us": 2.0}]
    figures = {"date": "d", "machine": "m", "client": "c", "rounds": 3, "seconds": 2.0, "in_process_cpu_ms": 8.0}
    written = page(figures | {"curves": curves})
    assert "an estimate, not a measurement" in written
    assert "g = c − 8.00 = 2.00 ms" in written
    assert "| 2 | 200 | 200 | 800 | 800 |" in written
    assert "| 16 | 1600 | 500 | 6400 | – |" in written
    draw_curves(curves, tmp_path / "curves.png")
    assert (tmp_path / "curves.png").stat().st_size > 1000
