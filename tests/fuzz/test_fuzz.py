"""Bad input, briefly: `make fuzz` is the long run."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from structbert_lite.bench.server_process import Server
from tests.fuzz.contract import Contract
from tests.fuzz.runs import fuzz_raw, fuzz_routes
from tests.fuzz.schema_run import read_document, run_schemathesis
from tests.fuzz.servers import serve_tiny
from tests.tiny_models import make_three_way

SEED = 1
KEY = "k" * 32
SHORT = ("--phases", "examples,fuzzing,stateful")


@pytest.fixture(scope="module")
def server(tiny_models: Path) -> Iterator[Server]:
    with serve_tiny(tiny_models) as server:
        yield server


def check(report: dict, cases: int) -> None:
    assert report["operations"]["tested"] == report["operations"]["total"] >= 17
    assert report["test_cases"]["generated"] > cases


def test_the_server_is_as_its_document_says(server: Server) -> None:
    check(run_schemathesis(server, SEED, 6, "", *SHORT), 150)


def test_and_with_keys(tiny_models: Path) -> None:
    with serve_tiny(tiny_models, API_KEYS=KEY) as server:
        check(run_schemathesis(server, SEED, 3, KEY, *SHORT), 50)


def test_and_with_a_sentiment_model_that_knows_neutral(tmp_path: Path) -> None:
    make_three_way(tmp_path / "three")
    with serve_tiny(tmp_path) as server:
        check(run_schemathesis(server, SEED, 3, "", *SHORT), 50)


def test_any_request_is_answered_as_the_document_says(server: Server) -> None:
    statuses = fuzz_routes(server, Contract(read_document(server)), 300)
    assert statuses[200] > 10
    assert statuses[422] > 10


def test_any_bytes_are_answered_or_refused(server: Server) -> None:
    statuses = fuzz_raw(server, 4)
    assert statuses[200] > 10
    assert statuses[400] > 10
