from flask.testing import FlaskClient
from prometheus_client.parser import text_string_to_metric_families


def read(client: FlaskClient) -> dict[str, float]:
    text = client.get("/metrics").get_data(as_text=True)
    return {sample.name: sample.value for family in text_string_to_metric_families(text) for sample in family.samples}


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
    assert grown["structbert_rows_total"] == 1
    assert grown["structbert_tokens_total"] == grown["structbert_padded_tokens_total"] == 14
    assert after["structbert_queue_tokens"] == 0
    assert after["structbert_cache_bytes"] > 0


def test_models_tells_what_is_loaded(client: FlaskClient) -> None:
    (model,) = client.get("/models").get_json()["models"]
    assert (model["task"], model["labels"]) == ("sentiment", ["Negative", "Positive"])
    assert model["limits"] == {"max_tokens": 512, "max_items": 64, "max_body_bytes": 1 << 20}
    assert model["license"]
    assert model["source"]["checkpoint"]
    assert len(model["digest"]) == 64
