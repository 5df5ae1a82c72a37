"""The deadline that a client sets in a header, and the client that hangs up."""

import time

import pytest
from flask import Flask
from flask.testing import FlaskClient

from structbert_lite.web.deadline import read_context

HEADER = "X-Request-Timeout-Ms"
LONG = [f"{'很长的一句话' * 80}{n}" for n in range(20)]


@pytest.mark.parametrize("value", ["0", "-1", "1.5", "soon", "", "+5", "1e3", "٣", "9" * 40])
def test_a_bad_value_is_refused_with_the_headers_name(client: FlaskClient, value: str) -> None:
    answer = client.post("/predict", json={"text": "好"}, headers={HEADER: value})
    assert (answer.status_code, answer.get_json()["error"]["field"]) == (422, HEADER)


def test_a_client_may_ask_for_less_time(client: FlaskClient) -> None:
    answer = client.post("/predict_batch", json={"texts": LONG}, headers={HEADER: "1"})
    assert (answer.status_code, answer.get_json()["error"]["type"]) == (504, "deadline_exceeded")
    assert client.post("/predict", json={"text": "好"}, headers={HEADER: "30000"}).status_code == 200


@pytest.mark.parametrize(
    ("asked", "given"), [(None, 5.0), ("200", 0.2), ("4999", 4.999), ("9999999", 5.0), ("0" * 5000 + "200", 0.2)]
)
def test_the_setting_is_the_most_one_can_ask_for(app: Flask, asked: str | None, given: float) -> None:
    with app.test_request_context(headers={HEADER: asked} if asked else {}):
        before = time.monotonic()
        assert before + given <= read_context(5000).deadline <= time.monotonic() + given


def test_time_spent_waiting_for_a_thread_counts(app: Flask) -> None:
    arrived = time.monotonic() - 100
    with app.test_request_context(environ_base={"structbert.arrived": arrived}):
        assert read_context(5000).deadline == arrived + 5


def test_the_edge_says_whether_the_client_has_left(app: Flask) -> None:
    with app.test_request_context(environ_base={"structbert.cancelled": lambda: True}):
        assert read_context(5000).cancelled()
    with app.test_request_context():
        assert not read_context(5000).cancelled()
