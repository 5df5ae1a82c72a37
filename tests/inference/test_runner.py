"""The real default model behind cache and batcher: one text, one answer, to the last bit."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from structbert_lite.cache.memory import MemoryCache
from structbert_lite.cache.tiered import TieredCache
from structbert_lite.errors import ClientDisconnected, DeadlineExceeded, Overloaded
from structbert_lite.inference.batcher import FairSemaphore
from structbert_lite.inference.runner import Limits, ServingRunner
from structbert_lite.inference.tokenizer import Encoding
from structbert_lite.request_context import RequestContext
from tests.steered_model import SteeredModel


def soon() -> RequestContext:
    return RequestContext.within(60)


def make(folder: Path, cache: MemoryCache | None = None, **limits: int) -> ServingRunner:
    defaults = {"threads": 2, "max_batch": 32, "batch_tokens": 512, "queue_tokens": 1 << 20}
    bounds = Limits(**(defaults | limits))
    model = SteeredModel.load(folder)
    tiers = TieredCache(MemoryCache(0) if cache is None else cache)
    return ServingRunner(model, bounds, tiers, FairSemaphore(bounds.threads))


def rows_of(runner: ServingRunner, *texts: str) -> list[np.ndarray]:
    return [row.values for row in runner.run([(text,) for text in texts], soon())]


@pytest.fixture(scope="module")
def runner(model_folder: Path) -> Iterator[ServingRunner]:
    runner = make(model_folder)
    yield runner
    runner.close()


def test_a_crowd_gets_the_bits_of_the_lonely(runner: ServingRunner) -> None:
    texts = [f"第{n}次来了，{'还是很满意' * (n % 9)}" for n in range(120)]
    alone = [rows_of(runner, text)[0] for text in texts]
    together = rows_of(runner, *texts)
    assert all(np.array_equal(a, b) for a, b in zip(alone, together, strict=True))


def test_identical_texts_in_flight_are_computed_once(model_folder: Path) -> None:
    runner = make(model_folder, threads=1)
    before = runner.batcher.counts.rows
    rows = rows_of(runner, *["同一句话，问了很多遍" * 10] * 50)
    threads = [threading.Thread(target=rows_of, args=(runner, "另一句话" * 100)) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(rows) == 50
    # Without a cache a thread that comes after the answer computes again; most come during it.
    assert runner.batcher.counts.rows - before < 1 + 16
    runner.close()


def test_the_second_time_comes_from_the_cache(model_folder: Path) -> None:
    cache = MemoryCache(1 << 20)
    runner = make(model_folder, cache)
    first = rows_of(runner, "很好", "很差")
    rows = runner.batcher.counts.rows
    again = rows_of(runner, "很差", "很好")
    assert runner.batcher.counts.rows == rows
    assert (cache.counts.hits, cache.counts.misses) == (2, 2)
    assert np.array_equal(again[1], first[0])
    runner.close()


def test_a_passed_deadline_is_told_and_leaves_nothing_behind(runner: ServingRunner) -> None:
    with pytest.raises(DeadlineExceeded):
        runner.run([("来不及了",)], RequestContext.within(-1))
    assert rows_of(runner, "来不及了")  # the next one is not hurt by the dropped one


def test_the_rest_is_dropped_however_quickly_each_text_comes(model_folder: Path) -> None:
    runner = make(model_folder, threads=1, max_batch=1)
    ran = []

    def slowly(encodings: list[Encoding]) -> None:
        ran.append(len(encodings))
        time.sleep(0.01)  # far less than between two looks at the client

    runner.model.before = slowly
    with pytest.raises(ClientDisconnected):
        runner.run([(f"第{i}条",) for i in range(100)], RequestContext(soon().deadline, lambda: len(ran) > 5))
    runner.close()
    assert len(ran) < 60


def test_a_refused_text_can_be_asked_again(model_folder: Path) -> None:
    runner = make(model_folder, threads=1, queue_tokens=1)
    texts = [f"很长的一句话{n}" * 60 for n in range(12)]
    refused, answered = [], []

    def ask(text: str) -> None:
        try:
            answered.append(rows_of(runner, text))
        except Overloaded:
            refused.append(text)

    threads = [threading.Thread(target=ask, args=(text,)) for text in texts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refused) + len(answered) == len(texts)
    for text in refused:
        assert rows_of(runner, text)
    runner.close()


def test_two_fields_are_one_input_and_not_their_concatenation(tiny_models: Path) -> None:
    cache = MemoryCache(1 << 20)
    runner = make(tiny_models / "zero-shot", cache)
    inputs = [("天气很好", "咨询"), ("天气", "很好咨询"), ("咨询", "天气很好"), ("天气很好", "咨询")]
    rows = [row.values.tobytes() for row in runner.run(inputs, soon())]
    assert rows[0] == rows[3]
    assert len(set(rows)) == 3
    assert cache.counts.misses == 3
    runner.close()
