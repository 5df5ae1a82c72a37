from itertools import islice

import pytest
from flask.testing import FlaskClient

from app import create_app
from benchmarks.mixed import SHARES, _bodies
from structbert_lite.settings import Settings


@pytest.fixture(scope="module")
def client() -> FlaskClient:
    return create_app(Settings(load="lazy", cache_mb=0)).test_client()


def test_every_kind_of_request_is_answered(client: FlaskClient) -> None:
    seen = {}
    for route, body in islice(_bodies(seed=1), 200):
        seen.setdefault(route, body)
    assert set(seen) == set(SHARES)
    for route, body in seen.items():
        assert client.post(f"/{route}", json=body).status_code == 200, route


def test_no_text_comes_twice() -> None:
    texts = [body["text"] for route, body in islice(_bodies(seed=2), 3000) if route == "predict"]
    assert len(texts) == len(set(texts)) > 1000
