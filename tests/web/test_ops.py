import pytest
from flask import Flask
from flask.testing import FlaskClient
from prometheus_client.parser import text_string_to_metric_families

from app import create_app
from structbert_lite.settings import Settings


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """One that asks once (conftest.py): here is counted what it asks."""
    return FlaskClient(app, app.response_class)


@pytest.fixture
def tiny_client(tiny_app: Flask) -> FlaskClient:
    return FlaskClient(tiny_app, tiny_app.response_class)


def read(client: FlaskClient, model: str = "sentiment") -> dict[str, float]:
    """One model's figures, and those of all models together."""
    text = client.get("/metrics").get_data(as_text=True)
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    return {sample.name: sample.value for sample in samples if sample.labels.get("model", model) == model}


def test_health(client: FlaskClient) -> None:
    assert client.get("/livez").get_json() == {"status": "alive"}
    assert client.get("/readyz").get_json() == client.get("/health").get_json() == {"status": "ready"}


def test_metrics_count_what_happened(client: FlaskClient) -> None:
    before = read(client)
    for _ in range(3):
        client.post("/predict", json={"text": "只有这个测试会问的一句话"})
    after = read(client)
    grown = {name: after[name] - before[name] for name in after}
    assert grown["structbert_cache_hits_total"] == 2
    assert grown["structbert_cache_misses_total"] == 1
    assert grown["structbert_batch_rows_sum"] == grown["structbert_batch_rows_count"] == 1
    assert grown["structbert_tokens_total"] == grown["structbert_batch_padded_tokens_sum"] == 10
    assert after["structbert_queue_tokens"] == 0
    assert after["structbert_cache_bytes"] > 0


def test_models_tells_what_is_loaded(client: FlaskClient) -> None:
    model = client.get("/models").get_json()["models"][0]
    assert (model["task"], model["labels"]) == ("sentiment", ["Negative", "Neutral", "Positive"])
    assert model["limits"] == {"max_tokens": 512, "max_items": 64, "max_body_bytes": 1 << 20}
    assert model["license"]
    assert model["source"]["checkpoint"]
    assert len(model["digest"]) == 64
    assert model["loaded"] is True


def test_models_tells_every_task_and_what_its_model_has(tiny_client: FlaskClient) -> None:
    models = {model["task"]: model for model in tiny_client.get("/models").get_json()["models"]}
    assert list(models) == ["sentiment", "similarity", "embedding", "zero-shot", "rerank"]
    assert models["similarity"]["thresholds"] == {"low": 0.4, "high": 0.7}
    assert models["embedding"]["dimensions"] == 8
    assert models["embedding"]["digest"] == models["similarity"]["digest"]
    assert models["zero-shot"]["labels"] == ["contradiction", "neutral", "entailment"]
    assert models["rerank"]["limits"] == {"max_tokens": 64, "max_items": 64, "max_body_bytes": 1 << 20}


def test_models_tells_whether_texts_leave_early() -> None:
    for on in (True, False):
        client = create_app(Settings(early_exit=on, prepacked="off", load="lazy")).test_client()
        facts = {model["task"]: model["early_exit"] for model in client.get("/models").get_json()["models"]}
        assert facts["sentiment"] == {"on": on, "layers": 6, "exits": facts["sentiment"]["exits"]}
        assert 0 < facts["sentiment"]["exits"][0] < 6
        client.post("/predict", json={"text": "模型要先加载"})
        before = exits(client)
        client.post("/predict_batch", json={"texts": ["这家店的菜很好吃，服务也不错，下次还会再来。", "一"]})
        assert sum(exits(client).values()) - sum(before.values()) == 2 * on


def exits(client: FlaskClient) -> dict[str, float]:
    text = client.get("/metrics").get_data(as_text=True)
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    return {s.labels["layer"]: s.value for s in samples if s.name == "structbert_exits_total"}


def test_metrics_are_of_each_model_by_itself(tiny_client: FlaskClient) -> None:
    before = {name: read(tiny_client, name) for name in ("sentiment", "similarity")}
    tiny_client.post("/embed", json={"texts": ["只有这里才有的一句话"]})
    tiny_client.post("/similarity", json={"text_a": "只有这里才有的一句话", "text_b": "另外一句只有这里才有的话"})
    after = {name: read(tiny_client, name) for name in before}
    assert after["similarity"]["structbert_batch_rows_sum"] - before["similarity"]["structbert_batch_rows_sum"] == 2
    assert after["similarity"]["structbert_cache_hits_total"] - before["similarity"]["structbert_cache_hits_total"] == 1
    assert after["sentiment"]["structbert_batch_rows_sum"] == before["sentiment"]["structbert_batch_rows_sum"]
