"""Server-Timing: what the cache had of a request."""

import re

import pytest
from flask.testing import FlaskClient

TIMING = re.compile(r'total;dur=[\d.]+, cache;desc="(\d+)/(\d+)"')


def cached(client: FlaskClient, route: str, body: dict) -> tuple[int, int]:
    """(found, asked for)."""
    found, inputs = TIMING.fullmatch(client.post(route, json=body).headers["Server-Timing"]).groups()
    return int(found), int(inputs)


def test_what_the_cache_had_is_told(client: FlaskClient) -> None:
    texts = [f"测试缓存的第{i}句话" for i in range(3)]
    assert cached(client, "/predict_batch", {"texts": texts[:2]}) == (0, 2)
    assert cached(client, "/predict_batch", {"texts": texts}) == (2, 3)
    assert cached(client, "/predict_batch", {"texts": texts}) == (3, 3)
    assert cached(client, "/predict", {"text": texts[0]}) == (1, 1)


@pytest.mark.parametrize(
    ("method", "route"), [("GET", "/models"), ("GET", "/metrics"), ("POST", "/predict"), ("GET", "/")]
)
def test_what_no_model_answered_has_no_timing(client: FlaskClient, method: str, route: str) -> None:
    assert "Server-Timing" not in client.open(route, method=method, json={} if method == "POST" else None).headers


def test_the_plain_page_tells_it_too(client: FlaskClient) -> None:
    form = {"text": "普通表单的缓存"}
    assert "未用缓存" in client.post("/", data=form).get_data(as_text=True)
    page = client.post("/", data=form).get_data(as_text=True)
    answer = page[page.index('id="result"') : page.index('id="examples"')]
    assert "来自缓存" in answer
    assert "<code>sentiment</code>" in answer
