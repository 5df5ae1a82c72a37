"""Load by wrk, and by threads where it is missing, on our real server."""

import shutil
from collections.abc import Iterator
from itertools import islice

import pytest

from benchmarks.wrk import Load, closed_load, read_figures, sent_texts
from structbert_lite.bench.server_process import Server, serve
from structbert_lite.settings import PROJECT

LINE = '{"requests": 200, "not_200": 20, "broken": 3, "seconds": 2.0, "p50_ms": 1.25, "p95_ms": 2.5, "p99_ms": 3.5}'
REPORT = f"Running 2s test @ http://127.0.0.1:5000/predict\n  200 requests in 2.00s\nRequests/sec:    100\n\n{LINE}\n"
TEXTS = ['服务很好"，真的', "反斜杠\\和\n换行", "房间很干净"]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serve(PROJECT / "models", "sentiment", cache_mb=1) as running:
        yield running


def test_only_answers_of_200_count_and_everything_else_is_a_failure() -> None:
    assert read_figures(REPORT) == Load(200, 23, per_second=90.0, p50_ms=1.25, p95_ms=2.5, p99_ms=3.5)


@pytest.mark.parametrize("output", ["", "unable to connect to 127.0.0.1:5000 Connection refused\n"])
def test_a_report_without_the_line_is_an_error_with_the_reason(output: str) -> None:
    with pytest.raises(RuntimeError, match=r"no figures: (it said nothing|unable to connect)"):
        read_figures(output)


def test_a_server_that_answered_nothing_has_no_figures() -> None:
    with pytest.raises(RuntimeError, match="no answer"):
        read_figures('{"requests": 0, "not_200": 0, "broken": 16, "seconds": 1.0, "p50_ms": 0.0}')


def test_new_texts_have_numbers_and_the_same_ones_have_none() -> None:
    assert list(islice(sent_texts(["a", "b"], None), 3)) == ["a", "b", "a"]
    assert list(islice(sent_texts(["a", "b"], 100), 3)) == ["100a", "101b", "102a"]


@pytest.mark.parametrize("first", [None, 1_000_000])
@pytest.mark.parametrize(
    "program",
    [None, pytest.param("wrk", marks=pytest.mark.skipif(not shutil.which("wrk"), reason="wrk is not installed"))],
)
def test_the_server_is_asked(server: Server, program: str | None, first: int | None) -> None:
    found = closed_load(server.port, TEXTS, clients=2, seconds=1, first=first, wrk=program)
    assert found.requests > 0
    assert found.failures == 0
    assert found.per_second > 0
    assert 0 < found.p50_ms <= found.p95_ms <= found.p99_ms


@pytest.mark.parametrize(
    "program",
    [None, pytest.param("wrk", marks=pytest.mark.skipif(not shutil.which("wrk"), reason="wrk is not installed"))],
)
def test_other_routes_and_bodies_are_asked(server: Server, program: str | None) -> None:
    found = closed_load(
        server.port, TEXTS, 2, 1, wrk=program, path="/predict_batch", body_of=lambda text: {"texts": [text, "好"]}
    )
    assert found.requests > 0
    assert found.failures == 0
