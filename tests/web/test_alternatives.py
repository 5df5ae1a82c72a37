"""Further models of a task, which a request may choose."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from app import create_app
from structbert_lite.settings import Settings
from tests.redis_server import RedisServer
from tests.telemetry.scrape import parse
from tests.tiny_models import NLI, make_cross, make_siamese, make_three_way, table

# A folder of any name, one called like another task, and two that serve two tasks each.
FURTHER = "三分类, rerank, reversed, zero-b, similarity-b"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, tiny_models: Path) -> Path:
    models = tmp_path_factory.mktemp("alternatives")
    shutil.copytree(tiny_models, models, dirs_exist_ok=True)
    (models / "rerank").rename(models / "rerank-a")
    make_three_way(models / "三分类")
    make_cross(models / "rerank", "rerank", table(1), max_tokens=64)
    make_cross(models / "reversed", "zero-shot", -table(len(NLI)), labels=NLI)
    make_cross(models / "zero-b", "zero-shot", table(len(NLI)), labels=NLI[::-1])
    make_siamese(models / "similarity-b", pooling="cls", thresholds={"low": 0.1, "high": 0.2})
    return models


@pytest.fixture(scope="module")
def settings(folder: Path) -> Settings:
    return Settings(models=folder, rerank_model="rerank-a", alternatives=FURTHER, max_items=64, max_body_mb=1)


@pytest.fixture(scope="module")
def client(settings: Settings) -> FlaskClient:
    return create_app(settings).test_client()


@pytest.fixture(scope="module")
def alone(folder: Path) -> FlaskClient:
    """The same default models without any further ones."""
    return create_app(Settings(models=folder, rerank_model="rerank-a", max_items=64, max_body_mb=1)).test_client()


CASES: list[tuple[str, dict[str, Any], str]] = [
    ("/predict", {"text": "好好坏"}, "三分类"),
    ("/predict_batch", {"texts": ["好", "坏"]}, "三分类"),
    ("/explain", {"text": "好好坏"}, "三分类"),
    ("/aspects", {"text": "物流很好", "aspects": ["物流"]}, "三分类"),
    ("/similarity", {"text_a": "你好", "text_b": "您好"}, "similarity-b"),
    ("/similarity", {"pairs": [["你好", "您好"]]}, "similarity-b"),
    ("/embed", {"texts": ["你好"]}, "similarity-b"),
    ("/classify", {"text": "你好", "labels": ["问候", "投诉"]}, "reversed"),
    ("/classify", {"texts": ["你好"], "labels": ["问候", "投诉"]}, "reversed"),
    ("/aspects", {"text": "今天下雨", "aspects": ["天气怎么样"]}, "reversed"),
]


@pytest.mark.parametrize(("path", "body", "name"), CASES)
def test_the_named_model_answers_and_without_a_name_the_default_one_as_ever(
    client: FlaskClient, alone: FlaskClient, folder: Path, path: str, body: dict[str, Any], name: str
) -> None:
    before = alone.post(path, json=body)
    assert before.status_code == 200
    assert client.post(path, json=body).data == before.data
    chosen = client.post(path, json=body | {"model": name})
    task = {"三分类": "sentiment", "similarity-b": "similarity", "reversed": "zero-shot"}[name]
    setting = {f"{task.replace('-', '_')}_model": name} | ({"embedding_model": name} if task == "similarity" else {})
    served = create_app(Settings(models=folder, rerank_model="rerank-a", max_items=64, **setting)).test_client()
    assert chosen.data == served.post(path, json=body).data  # as where it is the only one
    if path != "/aspects":
        assert chosen.data != before.data
    # Asked for again, each comes from the cache under its own key.
    assert client.post(path, json=body).data == before.data
    assert client.post(path, json=body | {"model": name}).data == chosen.data


def test_the_default_model_may_be_named_and_null_is_none(client: FlaskClient) -> None:
    body = {"text": "好好坏"}
    assert (
        client.post("/predict", json=body | {"model": "sentiment"}).data
        == client.post("/predict", json=body | {"model": None}).data
        == client.post("/predict", json=body).data
    )


@pytest.mark.parametrize("name", ["", "zero-b", "Sentiment", "../sentiment", "x" * 100_000, "三分类 "])
def test_another_name_is_refused_with_those_that_there_are(client: FlaskClient, name: str) -> None:
    answer = client.post("/predict", json={"text": "好", "model": name})
    assert answer.status_code == 422
    assert answer.get_json()["error"] == {
        "type": "invalid_input",
        "message": "no sentiment model has this name; there are: sentiment, 三分类",
        "field": "model",
    }


def test_where_there_is_one_model_another_name_is_refused_too(tiny_client: FlaskClient) -> None:
    answer = tiny_client.post("/embed", json={"texts": ["好"], "model": "other"})
    assert answer.status_code == 422
    assert answer.get_json()["error"]["message"] == "no embedding model has this name; there are: similarity"


def test_a_name_that_is_no_string_is_refused(client: FlaskClient) -> None:
    answer = client.post("/classify", json={"text": "好", "labels": ["一", "二"], "model": 3})
    assert (answer.status_code, answer.get_json()["error"]["field"]) == (422, "model")


def test_aspects_take_a_model_of_either_task(client: FlaskClient) -> None:
    answer = client.post("/aspects", json={"text": "物流很好", "model": "rerank"})
    assert answer.get_json()["error"]["message"] == (
        "no aspects model has this name; there are: sentiment, 三分类, reversed, zero-b"
    )


def test_options_are_those_of_the_named_model(client: FlaskClient) -> None:
    assert (
        client.post("/predict", json={"text": "门", "model": "三分类", "neutral": True}).get_json()["label"]
        == "Neutral"
    )


def test_models_lists_them_with_the_default_one_first(client: FlaskClient, alone: FlaskClient) -> None:
    listed = client.get("/models").get_json()["models"]
    assert [(one["task"], one["model"]) for one in listed if not one["default"]] == [
        ("sentiment", "三分类"),
        ("similarity", "similarity-b"),
        ("embedding", "similarity-b"),
        ("zero-shot", "reversed"),
        ("zero-shot", "zero-b"),
        ("rerank", "rerank"),
    ]
    defaults = [one for one in listed if one["default"]]
    assert defaults == alone.get("/models").get_json()["models"]
    assert [one["default"] for one in listed if one["task"] == "zero-shot"] == [True, False, False]
    assert all(one["loaded"] for one in listed)
    levels = {one["model"]: one["thresholds"] for one in listed if one["task"] == "similarity"}
    assert levels["similarity-b"] == {"low": 0.1, "high": 0.2} != levels["similarity"]


def test_clients_of_other_services_get_the_model_whose_name_they_send(client: FlaskClient) -> None:
    ask = {"query": "好", "documents": ["好", "坏"]}
    for path in ("/v1/rerank", "/v2/rerank", "/rerank"):
        default = client.post(path, json=ask | {"model": "any"}).get_json()
        chosen = client.post(path, json=ask | {"model": "rerank"}).get_json()
        # The model that is called rerank, though the task's default is another one.
        assert (default["model"], chosen["model"]) == ("rerank", "rerank")
        assert default["results"] != chosen["results"]
    ranks = [client.post("/elasticsearch/rerank", json=ask | {"model": one}).get_json() for one in ("any", "rerank")]
    assert ranks[0] != ranks[1]
    vectors = {}
    for name in ("any", "similarity", "similarity-b"):
        answer = client.post("/v1/embeddings", json={"input": "好", "model": name}).get_json()
        vectors[name] = answer["data"]
        assert answer["model"] == (name if name != "any" else "similarity")
    assert vectors["any"] == vectors["similarity"]
    cohere = client.post("/v1/embed", json={"texts": ["好"], "model": "similarity-b"})
    assert cohere.status_code == 200
    ids = [one["id"] for one in client.get("/v1/models").get_json()["data"]]
    assert ids == ["sentiment", "similarity", "zero-shot", "rerank", "三分类", "similarity-b", "reversed", "zero-b"]
    assert client.get("/v1/models/三分类").get_json()["model_type"] == "sentiment"


def test_each_counts_by_its_own_name(client: FlaskClient) -> None:
    client.post("/predict", json={"text": "只问一次的一句", "model": "三分类"})
    now = parse(client.get("/metrics").get_data(as_text=True))
    assert now.total("structbert_cache_misses_total", model="三分类") >= 1
    assert now.total("structbert_model_info", task="sentiment") == 2
    assert now.total("structbert_model_loaded", model="三分类") == 1


def test_a_lazy_server_loads_one_when_it_is_named(folder: Path) -> None:
    client = create_app(
        Settings(models=folder, rerank_model="rerank-a", alternatives="三分类", load="lazy")
    ).test_client()

    def loaded() -> list[str]:
        return [one["model"] for one in client.get("/models").get_json()["models"] if one["loaded"]]

    assert loaded() == []
    assert client.post("/predict", json={"text": "好", "model": "三分类"}).status_code == 200
    assert loaded() == ["三分类"]


@pytest.fixture
def shared(settings: Settings, redis_server: RedisServer) -> FlaskClient:
    return create_app(settings.model_copy(update={"redis_url": redis_server.url})).test_client()


def test_models_share_no_entry_of_the_shared_cache(
    shared: FlaskClient, client: FlaskClient, settings: Settings, redis_server: RedisServer
) -> None:
    bodies = [{"text": "好好坏"} | extra for extra in ({}, {"model": "三分类"})]
    expected = [client.post("/predict", json=body).data for body in bodies]
    assert [shared.post("/predict", json=body).data for body in bodies] == expected
    # A replica with an empty memory reads what the first one wrote.
    other = create_app(settings.model_copy(update={"redis_url": redis_server.url})).test_client()
    assert [other.post("/predict", json=body).data for body in bodies] == expected


FORMS = {
    "/": ({"text": "好好坏"}, "三分类"),
    "/ui/aspects": ({"text": "物流很好"}, "reversed"),
    "/ui/similarity": ({"text_a": "你好", "text_b": "您好"}, "similarity-b"),
    "/ui/classify": ({"text": "你好", "labels": "问候，投诉"}, "zero-b"),
    "/ui/rerank": ({"query": "好", "documents": "好\n坏"}, "rerank"),
    "/ui/embed": ({"texts": "你好"}, "similarity-b"),
}
NAMES = re.compile(r"<code>([^<]*)</code>")


@pytest.mark.parametrize("path", FORMS)
def test_a_page_with_one_model_has_no_choice(alone: FlaskClient, path: str) -> None:
    pages = alone.get(path), alone.post(path, data=FORMS[path][0])
    assert not any('name="model"' in page.get_data(as_text=True) for page in pages)
    assert not any("structbert-model" in cookie for page in pages for cookie in page.headers.getlist("Set-Cookie"))


@pytest.mark.parametrize("path", FORMS)
def test_a_plain_form_asks_the_chosen_model_and_the_browser_keeps_it(client: FlaskClient, path: str) -> None:
    fields, name = FORMS[path]
    try:
        assert name not in NAMES.findall(client.get(path).get_data(as_text=True))
        page = client.post(path, data=fields | {"model": name}).get_data(as_text=True)
        assert f'<option value="{name}" selected>' in page
        # The page's foot, the answer, and the blank one for the script.
        assert NAMES.findall(page).count(name) == 3
        # Also for an example, whose form has no such field; the default one is chosen by its empty value.
        assert f'<option value="{name}" selected>' in client.post(path, data=fields).get_data(as_text=True)
        assert "selected>" not in client.post(path, data=fields | {"model": ""}).get_data(as_text=True).replace(
            'value="" selected', ""
        )
        assert f'<option value="{name}" selected>' not in client.get(path).get_data(as_text=True)
    finally:
        client.post(path, data=fields | {"model": ""})


def test_the_page_of_another_model_has_its_thresholds(client: FlaskClient) -> None:
    assert ">10.0%<" in client.get("/ui/similarity?model=similarity-b").get_data(as_text=True)
    assert ">10.0%<" not in client.get("/ui/similarity").get_data(as_text=True)


def test_a_model_that_a_form_names_and_is_not_there_is_told(client: FlaskClient) -> None:
    answer = client.post("/", data={"text": "好", "model": "gone"})
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert "这个模型已不再提供" in page
    assert re.findall(r'name="(\w+)"[^>]*aria-invalid="true"', page) == ["model"]
    # What a cookie or an address names and is not there is nobody's mistake.
    client.set_cookie("structbert-model-sentiment", "gone")
    assert client.get("/?model=gone").status_code == client.post("/", data={"text": "好"}).status_code == 200
    client.delete_cookie("structbert-model-sentiment")


def test_the_page_for_whole_files_knows_what_each_model_answers(client: FlaskClient, alone: FlaskClient) -> None:
    def tasks(one: FlaskClient) -> dict[str, Any]:
        (found,) = re.findall(r"data-tasks='([^']*)'", one.get("/ui/bulk").get_data(as_text=True))
        return json.loads(found)

    assert not any("models" in facts for facts in tasks(alone).values())
    sentiment = tasks(client)["sentiment"]
    default, other = sentiment["models"]
    assert default == {key: value for key, value in sentiment.items() if key in ("labels", "neutral")} | {
        "name": "sentiment"
    }
    assert other == {"name": "三分类", "labels": ["Negative", "Positive"], "neutral": False}
