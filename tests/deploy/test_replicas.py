"""Two real servers with one Redis behind a real nginx, under load, while one thing after another goes wrong."""

import json
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask

from tests.deploy.crowd import Crowd, Question
from tests.deploy.nginx import Nginx, run_nginx
from tests.deploy.replica import Replica
from tests.redis_server import RedisServer

PATIENCE = 180.0
FROZEN_SECONDS = 5


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path_factory.mktemp("redis"))
    yield server
    server.kill()


@pytest.fixture(scope="module")
def replicas(
    tmp_path_factory: pytest.TempPathFactory, tiny_models: Path, redis: RedisServer
) -> Iterator[list[Replica]]:
    folder = tmp_path_factory.mktemp("replicas")
    settings = {
        "models": tiny_models,
        "cache_mb": 0,  # each look-up goes to Redis
        "redis_url": redis.url,
        "redis_timeout_ms": 500,  # a busy machine is no outage
        "rate_limit": "1000000/minute",
        "trusted_proxies": 1,
        "threads": 1,
    }
    replicas = [Replica(folder / f"{name}.log", **settings) for name in ("one", "other")]
    try:
        for replica in replicas:
            replica.start()
        for replica in replicas:
            replica.wait_until_ready()
        yield replicas
    finally:
        for replica in replicas:
            replica.kill()


@pytest.fixture
def nginx(tmp_path: Path, replicas: list[Replica], request: pytest.FixtureRequest) -> Iterator[Nginx]:
    patience = getattr(request, "param", "35s")  # as in deploy/compose.yaml
    with run_nginx(tmp_path, [replica.port for replica in replicas], read_timeout=patience) as server:
        yield server


@pytest.fixture(scope="module")
def questions(tiny_app: Flask) -> list[Question]:
    """With the answers of a server of its own, that nothing happens to."""
    client = tiny_app.test_client()
    asked: list[tuple[str, dict]] = []
    for n in range(40):
        text = f"第{n}位顾客说这家店的服务" + "很好" * (n % 7)
        asked += [
            ("/predict", {"text": text}),
            ("/predict_batch", {"texts": [text, text + "。", "物流很快"]}),
            ("/embed", {"texts": [text, f"{n}"]}),
            ("/similarity", {"text_a": text, "text_b": f"第{n}句"}),
            ("/classify", {"text": text, "labels": ["投诉", "表扬", f"第{n}类"]}),
            ("/rerank", {"query": f"第{n}问", "documents": [text, "门店早上九点开门"]}),
        ]
    questions = []
    for path, content in asked:
        answer = client.post(path, json=content)
        assert answer.status_code == 200
        questions.append(Question(path, json.dumps(content).encode(), answer.data))
    return questions


@pytest.fixture
def crowd(nginx: Nginx, questions: list[Question]) -> Crowd:
    return Crowd(nginx.port, questions)


def wait_for(condition: Callable[[], bool], what: str) -> None:
    limit = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < limit, what
        time.sleep(0.05)


def shared_hits(replica: Replica) -> float:
    return replica.scrape().total("structbert_cache_hits_total", tier="redis")


def see_it_used(replica: Replica) -> None:
    """Waits until nginx gives it requests."""
    before = replica.answered()
    wait_for(lambda: replica.answered() > before + 5, "the replica gets no requests")


def start_and_see_it_used(replica: Replica) -> None:
    replica.start()
    replica.wait_until_ready()
    see_it_used(replica)


def test_a_replica_and_redis_are_killed_and_come_back(
    crowd: Crowd, replicas: list[Replica], redis: RedisServer
) -> None:
    one, other = replicas
    with crowd.asking():
        for replica in replicas:
            see_it_used(replica)
        one.kill()
        crowd.wait_for(200)
        start_and_see_it_used(one)
        redis.kill()
        crowd.wait_for(200)
        other.kill()  # with Redis away
        crowd.wait_for(200)
        redis.start()
        start_and_see_it_used(other)
        for replica in replicas:
            before = shared_hits(replica)
            wait_for(lambda replica=replica, before=before: shared_hits(replica) > before, "Redis is not used again")
    print(dict(crowd.counts), f"slowest {crowd.slowest:.2f} s")
    # nginx cannot ask again for an answer of which the head has arrived, so a server sends head and body in one piece.
    assert crowd.counts.keys() == {"right"}, (crowd.counts, crowd.others)


@pytest.mark.parametrize("nginx", [f"{FROZEN_SECONDS}s"], indirect=True)
def test_a_frozen_replica_delays_answers_and_makes_none_wrong(crowd: Crowd, replicas: list[Replica]) -> None:
    one, _ = replicas
    with crowd.asking():
        see_it_used(one)
        one.send(signal.SIGSTOP)
        try:
            crowd.wait_for(200)
        finally:
            one.send(signal.SIGCONT)
        see_it_used(one)
    print(dict(crowd.counts), f"slowest {crowd.slowest:.2f} s")
    assert crowd.counts.keys() == {"right"}, (crowd.counts, crowd.others)
    assert FROZEN_SECONDS <= crowd.slowest < 3 * FROZEN_SECONDS


def test_replicas_are_replaced_one_after_the_other_and_nobody_notices(crowd: Crowd, replicas: list[Replica]) -> None:
    with crowd.asking():
        for replica in replicas:
            replica.stop()
            crowd.wait_for(100)
            start_and_see_it_used(replica)
    print(dict(crowd.counts), f"slowest {crowd.slowest:.2f} s")
    assert crowd.counts.keys() == {"right"}, (crowd.counts, crowd.others)
