"""Quotas of single clients: in memory, in Redis, and with Redis away.

By the day: where a window ends, and one request is allowed again, a count may be one more.
"""

import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator

import hypothesis
import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import strategies as st
from limits import parse_many

from app import create_app
from structbert_lite.cli.server import free_port
from structbert_lite.errors import ConfigurationError, RateLimited
from structbert_lite.settings import QUOTAS, Settings
from structbert_lite.web.rate_limit import REST_SECONDS, RateLimiter


def allowed(limiter: RateLimiter, client: str, times: int) -> int:
    count = 0
    for _ in range(times):
        try:
            limiter.take(client)
            count += 1
        except RateLimited:
            pass
    return count


def limited_app(**settings: object) -> Flask:
    return create_app(Settings(rate_limit="3/day", load="lazy", **settings))


def ask(client: FlaskClient, **headers: str) -> int:
    return client.post("/predict", json={"text": "好"}, headers=headers).status_code


def test_a_client_over_its_quota_gets_429_and_others_do_not() -> None:
    app = limited_app(trusted_proxies=1)
    client = app.test_client()
    assert [ask(client, X_Forwarded_For="203.0.113.5") for _ in range(5)] == [200, 200, 200, 429, 429]
    assert ask(client, X_Forwarded_For="203.0.113.6") == 200
    # What a client writes into the header itself stands before what the proxy adds.
    assert ask(client, X_Forwarded_For="203.0.113.7, 203.0.113.5") == 429
    answer = client.post("/predict", json={"text": "好"}, headers={"X-Forwarded-For": "203.0.113.5"})
    assert answer.get_json()["error"]["type"] == "rate_limited"
    assert 1 <= int(answer.headers["Retry-After"]) <= 86400


def test_a_network_of_ipv6_is_one_client() -> None:
    client = limited_app(trusted_proxies=1).test_client()
    addresses = [f"2001:db8:1:2::{i}" for i in range(4)] + ["2001:db8:1:3::1", "::ffff:192.0.2.1"]
    assert [ask(client, X_Forwarded_For=address) for address in addresses] == [200, 200, 200, 429, 200, 200]


def test_the_header_of_a_proxy_is_not_believed_unless_there_is_one() -> None:
    client = limited_app().test_client()
    assert [ask(client, X_Forwarded_For=f"203.0.113.{i}") for i in range(4)] == [200, 200, 200, 429]


def test_probes_metrics_and_files_are_never_refused_and_pages_say_it_in_their_own_words() -> None:
    client = limited_app().test_client()
    assert [ask(client) for _ in range(4)] == [200, 200, 200, 429]
    for path in ("/livez", "/readyz", "/health", "/metrics", "/static/style.css"):
        assert client.get(path).status_code == 200
    page = client.post("/", data={"text": "好"})
    assert (page.status_code, page.mimetype) == (429, "text/html")
    assert "请求太频繁了" in page.get_data(as_text=True)
    assert int(page.headers["Retry-After"]) >= 1


def take_for_ever(limiter: RateLimiter) -> None:
    while True:
        limiter.take("a")


def test_retry_after_is_true() -> None:
    limiter = RateLimiter("5/second;1000/hour")
    for _ in range(3):
        with pytest.raises(RateLimited) as caught:
            take_for_ever(limiter)
        assert caught.value.retry_after == 1
        time.sleep(caught.value.retry_after)
        limiter.take("a")
    assert limiter.counts["refused"] == 3


def test_many_threads_get_no_more_than_one_would() -> None:
    limiter = RateLimiter("100/day")
    counts: list[int] = []
    threads = [threading.Thread(target=lambda: counts.append(allowed(limiter, "a", 30))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(counts) <= 100
    assert allowed(limiter, "b", 200) == 100


def test_with_redis_away_nobody_is_refused_for_it_and_it_is_counted() -> None:
    with socket.socket() as silent:  # takes connections and never answers
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        for port in (free_port(), silent.getsockname()[1]):
            limiter = RateLimiter("20/day", f"redis://127.0.0.1:{port}/0", 50)
            began = time.monotonic()
            assert allowed(limiter, "a", 30) == 20  # this replica counts by itself meanwhile
            assert limiter.counts == {"failed": 1, "refused": 10}
            assert time.monotonic() - began < REST_SECONDS


@pytest.fixture
def redis_url() -> Iterator[str]:
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("redis-server is not installed (apt-get install redis-server)")
    port = free_port()
    command = [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        limit = time.monotonic() + 20
        while time.monotonic() < limit:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.02)
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        process.terminate()
        process.wait()


def test_replicas_share_a_quota_through_redis(redis_url: str) -> None:
    replicas = [RateLimiter("10/day", redis_url, 5000) for _ in range(2)]
    assert [allowed(replicas[i % 2], "a", 1) for i in range(14)] == [1] * 10 + [0] * 4
    assert allowed(replicas[0], "b", 1) == 1
    assert all(replica.counts["failed"] == 0 for replica in replicas)


@pytest.mark.parametrize("url", ["nothing://127.0.0.1", "async+memory://"])
def test_a_url_that_cannot_be_used_is_refused_with_a_sentence(url: str) -> None:
    with pytest.raises(ConfigurationError, match="STRUCTBERT_REDIS_URL"):
        RateLimiter("1/minute", url)


@hypothesis.given(st.from_regex(QUOTAS, fullmatch=True).filter(bool))
def test_every_quota_that_the_settings_take_can_be_read(quota: str) -> None:
    assert parse_many(Settings(rate_limit=quota).rate_limit)


@pytest.mark.parametrize("quota", ["many", "0/minute", "10", "10/fortnight", "10/minute;", "-1/second"])
def test_other_quotas_are_refused_at_the_start(quota: str) -> None:
    with pytest.raises(ConfigurationError, match="STRUCTBERT_RATE_LIMIT="):
        Settings.from_environment({"STRUCTBERT_RATE_LIMIT": quota})
