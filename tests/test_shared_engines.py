"""Engines that share a Redis, as the replicas of a service do: same bytes, less work, and none the worse without it."""

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from app import create_app
from structbert_lite.engine import Engine
from structbert_lite.errors import DeadlineExceeded
from structbert_lite.inference.model import Model
from structbert_lite.manifest import Manifest
from structbert_lite.registry import LoadModel
from structbert_lite.request_context import RequestContext
from structbert_lite.settings import PROJECT, Settings
from tests.redis_server import RedisServer, free_port
from tests.steered_model import SteeredModel
from tests.telemetry.scrape import Scrape, parse


@pytest.fixture
def start(tiny_models: Path, redis_server: RedisServer) -> Iterator[Callable[..., Engine]]:
    """Makes engines on one Redis. Waits are longer than the default: a busy machine is no outage."""
    made = []

    def make(load_model: LoadModel = Model.load, **settings: object) -> Engine:
        given = {"models": tiny_models, "redis_url": redis_server.url, "redis_timeout_ms": 5000} | settings
        made.append(Engine(Settings(**given), load_model=load_model))
        return made[-1]

    yield make
    for engine in made:
        engine.close()


def slow(seconds: float) -> LoadModel:
    """Loads models of which those for similarity take `seconds` for an inference, and so does the warm-up.

    It reads three tokens: a runner then expects a third of `seconds` for a token.
    """

    def load(folder: Path, manifest: Manifest) -> Model:
        model = SteeredModel.load(folder, manifest)
        if manifest.task == "similarity":
            model.before = lambda _: time.sleep(seconds)
        return model

    return load


def soon() -> RequestContext:
    return RequestContext.within(60)


def vectors(engine: Engine, *texts: str) -> list[bytes]:
    return [embedding.vector.tobytes() for embedding in engine.predict("embedding", list(texts), soon())]


def scrape(client: FlaskClient) -> Scrape:
    return parse(client.get("/metrics").get_data(as_text=True))


def rows_run(engine: Engine) -> int:
    return sum(runner.batcher.counts.rows for runner in engine.runners.values())


def test_the_second_engine_finds_what_the_first_computed(start: Callable[..., Engine]) -> None:
    one, other, alone = start(), start(), start(redis_url="", cache_mb=0)
    texts = [f"第{n}句话，两个服务都会问" for n in range(40)]
    pairs = list(pairwise(texts))
    asked = [
        lambda engine: engine.predict("sentiment", texts, soon()),
        lambda engine: vectors(engine, *texts),
        lambda engine: engine.predict("similarity", pairs, soon()),
        lambda engine: engine.predict("zero-shot", texts[:5], soon(), labels=["投诉", "咨询"]),
        lambda engine: engine.predict("rerank", texts, soon(), query="服务"),
    ]
    first = [ask(one) for ask in asked]
    assert one.cache.shared.flush(10)
    before = rows_run(other)
    second = [ask(other) for ask in asked]
    assert first == second == [ask(alone) for ask in asked]
    assert rows_run(other) == before  # not one inference
    assert other.cache.counts["redis"].hits > 100
    assert other.cache.counts["redis"].misses == 0
    third = [ask(other) for ask in asked]
    assert third == first
    assert other.cache.counts["redis"].hits + other.cache.counts["redis"].misses == 40 + 40 + 10 + 40  # now in memory


def test_without_memory_every_look_up_goes_to_redis(start: Callable[..., Engine]) -> None:
    engine = start(cache_mb=0)
    first = vectors(engine, "没有内存缓存")
    assert engine.cache.shared.flush(10)
    rows = rows_run(engine)
    assert vectors(engine, "没有内存缓存") == first
    assert rows_run(engine) == rows


def test_replicas_asked_at_the_same_moment_compute_once(start: Callable[..., Engine]) -> None:
    engines = [start(slow(0.4), threads=1) for _ in range(2)]
    before = sum(map(rows_run, engines))
    answers: dict[int, bytes] = {}
    barrier = threading.Barrier(4)

    def ask(n: int) -> None:
        barrier.wait()
        answers[n] = vectors(engines[n % 2], "两个副本同时被问到的一句很长很长的话")[0]

    threads = [threading.Thread(target=ask, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(answers.values())) == 1
    assert sum(map(rows_run, engines)) - before == 1


def test_a_lease_whose_owner_died_costs_no_more_than_computing_again(start: Callable[..., Engine]) -> None:
    owner, engine = start(threads=1), start(slow(0.3), threads=1)
    text = "主人再也没有回来"
    key = engine.runners["similarity"].key((text,))
    assert owner.cache.acquire_leases({key: 60.0}, soon().deadline).acquired == {key}
    before, started = rows_run(engine), time.monotonic()
    assert vectors(engine, text)
    took = time.monotonic() - started
    assert rows_run(engine) - before == 1
    assert 0.6 < took < 5  # it waited for as long as ten tokens take, at the most, and then ran; the lease lasts longer


def test_a_request_that_gives_up_gives_its_lease_back(start: Callable[..., Engine], redis_server: RedisServer) -> None:
    engine = start(slow(2), threads=1)
    with pytest.raises(DeadlineExceeded):
        engine.predict("embedding", ["来不及算完的一句话"], RequestContext.within(1))
    assert engine.cache.shared.flush(10)
    assert redis_server.client.info("commandstats")["cmdstat_del"]["calls"] == 1
    assert redis_server.client.keys("structbert:claim:*") == []


def test_redis_killed_and_started_again_under_load(start: Callable[..., Engine], redis_server: RedisServer) -> None:
    texts = [f"压力下的第{n}句话" for n in range(60)]
    alone = start(redis_url="")
    expected = dict(zip(texts, vectors(alone, *texts), strict=True))
    engines = [start(cache_mb=0, redis_timeout_ms=100) for _ in range(2)]
    done = threading.Event()
    wrong: list[object] = []
    answered = [0] * 4

    def work(worker: int) -> None:
        n = worker
        try:
            while not done.is_set():
                some = [texts[(n + k) % 60] for k in range(5)]
                if vectors(engines[worker % 2], *some) != [expected[text] for text in some]:
                    wrong.append(some)
                answered[worker] += 1
                n += 7
        except Exception as error:
            wrong.append(error)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for trouble in (redis_server.kill, redis_server.stop):
        time.sleep(0.5)
        trouble()
        time.sleep(0.5)
        before, give_up = list(answered), time.monotonic() + 20
        while not all(now > then + 3 for now, then in zip(answered, before, strict=True)):
            assert time.monotonic() < give_up, "somebody hangs"
            time.sleep(0.05)
        if trouble == redis_server.kill:
            redis_server.start()
        else:
            redis_server.go_on()
    give_up = time.monotonic() + 20
    hits = [engine.cache.counts["redis"].hits for engine in engines]
    while any(engine.cache.counts["redis"].hits <= then for engine, then in zip(engines, hits, strict=True)):
        assert time.monotonic() < give_up, "Redis is not used again"
        time.sleep(0.05)
    done.set()
    for thread in threads:
        thread.join()
    assert not wrong
    assert all(sum(engine.cache.counts["redis"].errors.values()) > 0 for engine in engines)


def test_an_engine_starts_and_is_ready_without_its_redis(start: Callable[..., Engine]) -> None:
    engine = start(redis_url=f"redis://127.0.0.1:{free_port()}")
    assert vectors(engine, "没有缓存服务器也能答")
    engine.ping()
    assert engine.cache.shared.is_out


def test_redis_is_imported_only_when_it_is_configured() -> None:
    code = "import sys, app, structbert_lite.engine; print([m for m in sys.modules if m.split('.')[0] == 'redis'])"
    done = subprocess.run([sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_metrics_tell_the_tiers_apart_and_what_went_wrong(tiny_models: Path, redis_server: RedisServer) -> None:
    app = create_app(Settings(models=tiny_models, redis_url=redis_server.url, redis_timeout_ms=5000))
    client, engine = app.test_client(), app.extensions["structbert_engine"]
    labels = {"model": "similarity", "tier": "redis"}
    for _ in range(2):
        client.post("/embed", json={"texts": ["指标里看得出是哪一层"]})
    assert scrape(client).total("structbert_cache_misses_total", **labels) == 1
    assert scrape(client).total("structbert_cache_hits_total", **labels | {"tier": "memory"}) == 1
    assert scrape(client).total("structbert_cache_errors_total", reason="unreachable") == 0
    redis_server.kill()
    assert client.post("/embed", json={"texts": ["服务器已经不在了"]}).status_code == 200
    engine.close()
    assert scrape(client).total("structbert_cache_errors_total", reason="unreachable") >= 1
