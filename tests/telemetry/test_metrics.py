"""What /metrics counts, in one process."""

import threading
import time

import numpy as np
import pytest
from flask.testing import FlaskClient

from structbert_lite.inference.observer import Observer
from structbert_lite.telemetry.metrics import Metrics
from tests.telemetry.scrape import Scrape, growth, parse


def scrape(client: FlaskClient) -> Scrape:
    return parse(client.get("/metrics").get_data(as_text=True))


def test_requests_are_counted_by_route_method_and_status(tiny_client: FlaskClient) -> None:
    before = scrape(tiny_client)
    tiny_client.post("/predict", json={"text": "一句话"})
    tiny_client.post("/predict_batch", json={"texts": ["一句话", "两句话", "三句话"]})
    tiny_client.post("/predict", json={"text": ""})
    tiny_client.get("/predict")
    grown = growth(before, scrape(tiny_client))
    requests = "structbert_http_requests_total"
    assert grown(requests, route="/predict", method="POST", status="200") == 1
    assert grown(requests, route="/predict", method="POST", status="422") == 1
    assert grown(requests, route="/predict_batch") == 1
    assert grown("structbert_http_request_duration_seconds_count", route="/predict") == 2
    assert grown("structbert_items_total", task="sentiment") == 4


def test_no_label_grows_with_what_clients_send(tiny_client: FlaskClient) -> None:
    tiny_client.get("/nowhere/0")
    tiny_client.open("/", method="FIRST")
    series = len(scrape(tiny_client).samples)
    for number in range(20):
        tiny_client.get(f"/nowhere/{number}?text={number}")
        tiny_client.open("/", method=f"METHOD{number}")
    assert len(scrape(tiny_client).samples) == series


@pytest.mark.parametrize(
    ("reason", "request_"),
    [
        ("invalid_input", {"path": "/predict", "json": {"text": ""}}),
        ("payload_too_large", {"path": "/predict_batch", "json": {"texts": ["好"] * 65}}),
        ("malformed_json", {"path": "/predict", "data": b"{", "content_type": "application/json"}),
        ("unsupported_media_type", {"path": "/predict", "data": b"{}"}),
        ("not_found", {"path": "/nowhere"}),
        ("invalid_input", {"path": "/", "data": {"text": " "}}),
    ],
)
def test_refusals_are_counted_by_reason(tiny_client: FlaskClient, reason: str, request_: dict) -> None:
    before = scrape(tiny_client)
    assert tiny_client.post(**request_).status_code >= 400
    grown = growth(before, scrape(tiny_client))
    assert grown("structbert_refusals_total", reason=reason) == grown("structbert_refusals_total") == 1


def test_every_stage_is_timed(tiny_client: FlaskClient) -> None:
    before = scrape(tiny_client)
    began = time.perf_counter()
    tiny_client.post("/predict_batch", json={"texts": ["每个阶段都要计时", "第二句只有这里才有"]})
    took = time.perf_counter() - began
    grown = growth(before, scrape(tiny_client))
    stages = {
        stage: grown("structbert_stage_duration_seconds_count", stage=stage, model="sentiment")
        for stage in ("tokenize", "queue", "slot", "inference")
    }
    batches = grown("structbert_batch_rows_count", model="sentiment")
    assert stages == {"tokenize": 1, "queue": 2, "slot": batches, "inference": batches}
    assert 0 < grown("structbert_stage_duration_seconds_sum", model="sentiment") < 3 * took


def test_the_share_of_padding_can_be_read(tiny_client: FlaskClient) -> None:
    before = scrape(tiny_client)
    tiny_client.post("/predict_batch", json={"texts": [f"短{n}" + "长" * n for n in range(30)]})
    grown = growth(before, scrape(tiny_client))
    assert grown("structbert_tokens_total") <= grown("structbert_batch_padded_tokens_sum")
    assert grown("structbert_batch_rows_sum") == 30


def test_gauges_say_what_is_going_on_now(tiny_client: FlaskClient) -> None:
    now = scrape(tiny_client)
    assert now.total("structbert_http_requests_in_flight") == 1  # the one that reads this
    assert now.total("structbert_queue_entries") == now.total("structbert_queue_tokens") == 0
    assert now.total("structbert_workers") == 1
    assert now.total("structbert_model_loaded") == 4  # of these five tasks two share a model
    assert now.total("structbert_model_info") == 5
    assert now.total("process_resident_memory_bytes") > 20e6
    assert now.total("process_cpu_seconds_total") > 0


def test_every_metric_is_there_before_the_first_request(tiny_client: FlaskClient) -> None:
    reasons = {
        s.labels["reason"] for s in scrape(tiny_client).samples if s.name == "structbert_unanswered_inputs_total"
    }
    assert reasons == {"refused", "expired", "failed"}


def test_counting_loses_nothing_between_threads() -> None:
    metrics = Metrics()
    observer: Observer = metrics.observe("model")

    def count() -> None:
        for _ in range(2000):
            observer.on_batch([0.001, 0.002], 30, 40)

    threads = [threading.Thread(target=count) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    read = metrics.registry.get_sample_value
    assert read("structbert_batch_rows_sum", {"model": "model"}) == 8 * 2000 * 2
    assert read("structbert_batch_padded_tokens_count", {"model": "model"}) == 8 * 2000


def test_inputs_are_counted_by_the_layers_that_they_passed() -> None:
    metrics = Metrics()
    observer = metrics.observe("model")
    observer.on_exits(np.array([3, 6, 3, 4]))
    observer.on_exits(np.array([6]))
    counted = {
        layer: metrics.registry.get_sample_value("structbert_exits_total", {"model": "model", "layer": layer})
        for layer in ("3", "4", "6")
    }
    assert counted == {"3": 2, "4": 1, "6": 2}
