"""/metrics of several real processes under gunicorn: their sum, whichever of them answers."""

import json
import os
import signal
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from prometheus_client.mmap_dict import MmapedDict

from structbert_lite.bench.server_process import Server, free_port, run_server
from structbert_lite.telemetry.multiprocess import (
    FOLDER,
    MEMORY,
    OURS,
    forget_worker,
    remove_shared_metrics,
    share_metrics,
)
from tests.telemetry.scrape import Scrape, parse

TEXTS = [f"第{number}件商品的质量不错" for number in range(40)]


@pytest.fixture(scope="module")
def server(model_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    models = tmp_path_factory.mktemp("models")
    (models / model_folder.name).symlink_to(model_folder)
    port = free_port()
    ours = {"HOST": "127.0.0.1", "PORT": port, "MODELS": models, "WORKERS": 2, "THREADS": 1}
    environment = os.environ | {f"STRUCTBERT_{name}": str(value) for name, value in ours.items()}
    environment.pop(FOLDER, None)
    with run_server([sys.executable, "-m", "gunicorn", "-c", "gunicorn.conf.py"], port, "/readyz", environment) as one:
        yield one
    assert folders(one) == []


def folders(server: Server) -> list[Path]:
    return list(MEMORY.glob(f"{OURS}{server.pid}-*"))


def get(server: Server) -> Scrape:
    with urllib.request.urlopen(f"http://127.0.0.1:{server.port}/metrics", timeout=30) as answer:
        return parse(answer.read().decode())


def predict(server: Server, text: str) -> None:
    request = urllib.request.Request(
        f"http://127.0.0.1:{server.port}/predict",
        data=json.dumps({"text": text}).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=30) as answer:  # a connection each, so that either may take it
        assert answer.status == 200


def answered(server: Server) -> dict[int, float]:
    """How many requests to /predict each process counted, read from its own file."""
    (folder,) = folders(server)
    found = {}
    for file in folder.glob("counter_*.db"):
        values = MmapedDict.read_all_values_from_file(str(file))
        found[int(file.stem.partition("_")[2])] = sum(
            value for key, value, *_ in values if '"structbert_http_requests_total"' in key and '"/predict"' in key
        )
    return found


def wait_until(holds: Callable[[], bool], what: str) -> None:
    limit = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < limit, what
        time.sleep(0.1)


@pytest.mark.skipif(not MEMORY.is_dir(), reason="needs /dev/shm")
def test_sums_are_right_whichever_process_answers(server: Server) -> None:
    wait_until(lambda: serving(server) == 2, "two processes")
    sent = 0
    for _ in range(20):
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda text: predict(server, text), TEXTS))
        sent += len(TEXTS)
        if len([count for count in answered(server).values() if count]) == 2:
            break
    by_process = answered(server)
    assert len([count for count in by_process.values() if count]) == 2, by_process
    assert sum(by_process.values()) == sent
    for _ in range(10):
        check_sums(get(server), sent)

    one = next(iter(by_process))
    os.kill(one, signal.SIGKILL)
    wait_until(lambda: one not in processes(server) and len(processes(server)) == 2, "a new process")
    wait_until(lambda: serving(server) == 2, "two processes again")
    for _ in range(10):
        check_sums(get(server), sent)

    os.kill(server.pid, signal.SIGHUP)
    predict(server, TEXTS[0])  # a reload keeps the processes, and what they counted
    check_sums(get(server), sent + 1)


def processes(server: Server) -> set[int]:
    (folder,) = folders(server)
    return {int(file.stem.rpartition("_")[2]) for file in folder.glob("gauge_livesum_*.db")}


def serving(server: Server) -> float:
    """How many processes have loaded the model: 0 until the last of them has."""
    now = get(server)
    return now.total("structbert_workers") * now.total("structbert_model_loaded")


def check_sums(now: Scrape, sent: int) -> None:
    assert now.total("structbert_http_requests_total", route="/predict", status="200") == sent
    assert now.total("structbert_http_request_duration_seconds_count", route="/predict") == sent
    assert now.total("structbert_http_request_duration_seconds_bucket", route="/predict", le="+Inf") == sent
    assert now.total("structbert_items_total", task="sentiment") == sent
    hits, misses = (now.total(f"structbert_cache_{kind}_total", tier="memory") for kind in ("hits", "misses"))
    assert hits + misses == sent
    assert now.total("structbert_batch_rows_sum") >= 2 + len(TEXTS)  # each process warmed its model up
    assert now.total("structbert_batch_rows_count") == now.total(
        "structbert_stage_duration_seconds_count", stage="inference"
    )
    # Gauges are of the processes that live, and the same model is the same model.
    assert now.total("structbert_model_loaded") == now.total("structbert_model_info") == 1
    assert now.total("structbert_queue_entries") == now.total("structbert_queue_tokens") == 0
    assert now.total("structbert_http_requests_in_flight") >= 1
    assert now.total("structbert_build_info") == 1
    assert now.total("process_resident_memory_bytes") > 2 * 50e6
    assert not [sample for sample in now.samples if "pid" in sample.labels]


def test_a_folder_of_the_operators_is_emptied_and_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(FOLDER, str(tmp_path / "metrics"))
    share_metrics()
    for name in ("counter_1.db", "gauge_livesum_1.db", "gauge_livesum_2.db", "notes.txt"):
        (tmp_path / "metrics" / name).touch()
    forget_worker(1)
    assert {file.name for file in (tmp_path / "metrics").iterdir()} == {
        "counter_1.db",
        "gauge_livesum_2.db",
        "notes.txt",
    }
    share_metrics()
    remove_shared_metrics()
    assert [file.name for file in (tmp_path / "metrics").iterdir()] == ["notes.txt"]


def test_a_new_master_takes_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    theirs = tmp_path / f"{OURS}1-old"
    theirs.mkdir()
    (theirs / "counter_7.db").touch()
    monkeypatch.setenv(FOLDER, str(theirs))
    share_metrics()
    ours = Path(os.environ[FOLDER])
    assert ours != theirs
    assert (theirs / "counter_7.db").exists()
    remove_shared_metrics()
    assert not ours.exists()
