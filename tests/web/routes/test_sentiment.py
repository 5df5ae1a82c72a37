"""What a sentiment model that knows Neutral changes in the answers, and that no other answer changes."""

import json
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from jsonschema_rs import Draft202012Validator

from app import create_app
from structbert_lite.settings import Settings
from tests.tiny_models import make_cross, make_three_way, table
from tests.web.test_api import check_error
from tests.web.test_openapi import examples

# Written down with version 1.0.0.
TWO_WAY = (
    '{"text":"这个怎么退货","label":"Positive","score":0.943348,'
    '"probabilities":{"Negative":0.056652,"Positive":0.943348},"truncated":false}\n'
)
OWN = (
    '{"text":"这个怎么退货","label":"Negative","score":0.858948,'
    '"probabilities":{"Negative":0.858948,"Positive":0.096371,"Mixed":0.040174,"Neutral":0.004507},"truncated":false}\n'
)
LABELS = {"two": ["Negative", "Positive"], "own": ["Negative", "Positive", "Mixed", "Neutral"]}
FIELDS = ["text", "label", "score", "probabilities", "truncated", "neutral", "uncertain"]


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    for name, labels in LABELS.items():
        make_cross(folder / name, "sentiment", table(len(labels)), kind="classifier", labels=labels)
    make_three_way(folder / "three")
    make_three_way(folder / "calibrated", uncertainty={"neutral": 0.2, "margin": 0.25})
    return folder


def client_of(models: Path, name: str, **settings: object) -> FlaskClient:
    return create_app(Settings(models=models, sentiment_model=name, **settings)).test_client()


@pytest.fixture(scope="module")
def three(models: Path) -> FlaskClient:
    return client_of(models, "three")


def ask(client: FlaskClient, text: str, **options: object) -> dict:
    answer = client.post("/predict", json={"text": text, **options})
    assert answer.status_code == 200, answer.text
    return json.loads(answer.data)


@pytest.mark.parametrize("neutral", [False, True], ids=["setting off", "setting on"])
@pytest.mark.parametrize(("name", "expected"), [("two", TWO_WAY), ("own", OWN)])
def test_other_models_answer_with_the_bytes_that_they_did(
    models: Path, name: str, expected: str, neutral: bool
) -> None:
    client = client_of(models, name, sentiment_neutral=neutral)
    for options in ({}, {"neutral": None}, {"neutral": False}):
        assert client.post("/predict", json={"text": "这个怎么退货", **options}).text == expected
        several = client.post("/predict_batch", json={"texts": ["这个怎么退货"], **options}).text
        assert several == f"[{expected.strip()}]\n"
    assert client.get("/models").json["models"][0]["thresholds"] == {}


@pytest.mark.parametrize("name", ["two", "own"])
def test_they_cannot_be_asked_for_neutral(models: Path, name: str) -> None:
    client = client_of(models, name)
    for route, body in (("/predict", {"text": "好"}), ("/predict_batch", {"texts": ["好"]})):
        answer = client.post(route, json=body | {"neutral": True})
        check_error(answer, 422, "invalid_input", "neutral")
        assert "this model has no such class" in answer.json["error"]["message"]


@pytest.mark.parametrize("given", [1, "true", [True]])
def test_neutral_is_a_truth_value(three: FlaskClient, given: object) -> None:
    check_error(three.post("/predict", json={"text": "好", "neutral": given}), 422, "invalid_input", "neutral")


def test_an_answer_ends_with_how_sure_it_is(three: FlaskClient) -> None:
    answer = ask(three, "好好好好坏")
    assert list(answer) == FIELDS
    assert list(answer["probabilities"]) == ["Negative", "Positive"]
    assert answer["label"] == "Positive"
    assert answer["score"] == pytest.approx(0.952574, abs=1e-6)  # of 4 against 1
    assert answer["neutral"] == pytest.approx(0.017148, abs=1e-6)  # 0 beside 4 and 1
    assert answer["uncertain"] is False


def test_a_text_without_an_opinion_is_uncertain(three: FlaskClient) -> None:
    answer = ask(three, "门门门门门好好好")
    assert (answer["label"], answer["uncertain"]) == ("Positive", True)
    assert answer["score"] > 0.9
    assert answer["neutral"] > 0.8
    assert ask(three, "好好好坏坏坏")["uncertain"] is True


def test_the_label_may_be_neutral_where_it_is_asked_for(three: FlaskClient) -> None:
    answer = ask(three, "门门门好好", neutral=True)
    assert list(answer) == FIELDS
    assert list(answer["probabilities"]) == ["Negative", "Neutral", "Positive"]
    assert (answer["label"], answer["score"]) == ("Neutral", answer["neutral"])
    assert sum(answer["probabilities"].values()) == pytest.approx(1, abs=1e-12)
    opinion = ask(three, "好好好门门", neutral=True)
    assert (opinion["label"], opinion["score"]) == ("Positive", opinion["probabilities"]["Positive"])


def test_several_texts_get_the_answers_of_one(three: FlaskClient) -> None:
    texts = ["门门门好好", "坏坏", "好" * 200]
    for options in ({}, {"neutral": True}):
        answers = three.post("/predict_batch", json={"texts": texts, **options}).json
        assert answers == [ask(three, text, **options) for text in texts]
    assert answers[2]["truncated"] is True


def test_the_setting_and_the_request(models: Path, three: FlaskClient) -> None:
    client = client_of(models, "three", sentiment_neutral=True)
    text = "门门门好好"
    assert ask(client, text) == ask(client, text, neutral=None) == ask(three, text, neutral=True)
    assert ask(client, text, neutral=False) == ask(three, text)


def test_other_services_clients_get_the_two_opinions(models: Path) -> None:
    client = client_of(models, "three", sentiment_neutral=True)
    answer = client.post("/predict", json={"inputs": "门门门好好"}).json
    assert [label["label"] for label in answer] == ["Positive", "Negative"]
    assert sum(label["score"] for label in answer) == pytest.approx(1)
    told = client.get("/info").json["model_type"]["classifier"]
    assert told == {"id2label": {"0": "Negative", "1": "Positive"}, "label2id": {"Negative": 0, "Positive": 1}}


def test_models_tells_the_thresholds(models: Path, three: FlaskClient) -> None:
    (facts,) = three.get("/models").json["models"]
    assert facts["labels"] == ["Positive", "Neutral", "Negative"]
    assert facts["thresholds"] == {"neutral": 0.5, "margin": 0.5}
    calibrated = client_of(models, "calibrated")
    assert calibrated.get("/models").json["models"][0]["thresholds"] == {"neutral": 0.2, "margin": 0.25}
    assert ask(three, "门好")["neutral"] == ask(calibrated, "门好")["neutral"] == pytest.approx(0.422319, abs=1e-6)
    assert ask(three, "门好")["uncertain"] is True  # 0.73 against 0.27
    assert ask(calibrated, "好好")["uncertain"] is False  # neutral 0.11, margin 0.76
    assert ask(calibrated, "门好好")["uncertain"] is True  # neutral 0.24


def test_every_example_is_answered_as_described(three: FlaskClient) -> None:
    document = three.get("/openapi.json").json
    for route in ("/predict", "/predict_batch"):
        methods = document["paths"][route]
        reference = methods["post"]["responses"]["200"]["content"]["application/json"]["schema"]["$ref"]
        validator = Draft202012Validator({"$ref": reference, "components": document["components"]})
        bodies = [example["value"] for example in examples(methods)]
        assert any(body.get("neutral") for body in bodies)
        for body in bodies:
            answer = three.post(route, json=body)
            assert answer.status_code == 200, answer.text
            validator.validate(answer.json)


def test_a_model_without_the_class_has_no_such_example(models: Path) -> None:
    document = client_of(models, "two").get("/openapi.json").json
    for route in ("/predict", "/predict_batch"):
        bodies = [example["value"] for example in examples(document["paths"][route])]
        assert bodies
        assert not any("neutral" in body for body in bodies)
