"""TEI's base URL, and an address for each task, so that a client finds one model at an address."""

import pytest
from flask.testing import FlaskClient

TEXT, OTHER = "这部电影太烂了，完全浪费时间", "物流很快，包装也很好"
BODIES = {
    "embedding": ("/embed", {"inputs": [TEXT, OTHER]}),
    "rerank": ("/rerank", {"query": "哪里", "texts": ["坏", "好好"]}),
    "sentiment": ("/predict", {"inputs": TEXT, "parameters": {}}),
    "similarity": ("/similarity", {"inputs": {"source_sentence": TEXT, "sentences": [OTHER, TEXT]}}),
    "zero-shot": ("/classify", {"inputs": TEXT, "parameters": {"candidate_labels": ["咨询", "投诉"]}}),
}


def ask(client: FlaskClient, path: str, body: dict) -> object:
    answer = client.post(path, json=body)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return answer.get_json()


@pytest.mark.parametrize(("task", "path", "body"), [(task, *one) for task, one in BODIES.items()])
def test_every_address_gives_the_numbers_of_our_own_route(
    tiny_client: FlaskClient, task: str, path: str, body: dict
) -> None:
    expected = ask(tiny_client, path, body)
    for address in ("/", "/tei", f"/tei/{task}"):
        assert ask(tiny_client, address, body) == expected
    if path != "/classify":
        assert ask(tiny_client, f"/tei/{task}{path}", body) == expected


def test_openais_route_at_the_address_of_an_embedding_model(tiny_client: FlaskClient) -> None:
    expected = ask(tiny_client, "/v1/embeddings", {"input": [TEXT]})
    for path in ("/tei/embedding/v1/embeddings", "/tei/embedding/embeddings"):
        assert ask(tiny_client, path, {"input": [TEXT]}) == expected


def test_an_address_without_parameters_is_of_its_own_task(tiny_client: FlaskClient) -> None:
    assert ask(tiny_client, "/tei/sentiment", {"inputs": TEXT}) == ask(tiny_client, "/predict", {"inputs": TEXT})


def test_the_page_is_still_there(tiny_client: FlaskClient) -> None:
    assert tiny_client.get("/").mimetype == "text/html"
    answer = tiny_client.post("/", data={"text": TEXT})
    assert (answer.status_code, answer.mimetype) == (200, "text/html")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, "inputs: this field is required"),
        ({"inputs": "a", "texts": ["a"], "query": "a"}, "inputs: `inputs` and `texts`"),
        ({"inputs": {"query": "a"}}, "inputs: this must be a string"),
        ({"inputs": "a", "parameters": {"candidate_labels": []}}, "parameters.candidate_labels: "),
    ],
)
def test_what_fits_no_model_is_refused_in_tei_s_shape(tiny_client: FlaskClient, body: dict, message: str) -> None:
    answer = tiny_client.post("/", json=body)
    assert (answer.status_code, answer.get_json()["error_type"]) == (422, "Validation")
    assert answer.get_json()["error"].startswith(message)


def test_what_is_not_json_is_refused_in_tei_s_shape(tiny_client: FlaskClient) -> None:
    answer = tiny_client.post("/", data=b"{", content_type="application/json")
    assert (answer.status_code, answer.get_json()["error_type"]) == (400, "Validation")


@pytest.mark.parametrize(
    ("task", "kind"), [("rerank", "reranker"), ("embedding", "embedding"), ("sentiment", "classifier")]
)
def test_each_address_names_its_own_model(tiny_client: FlaskClient, task: str, kind: str) -> None:
    info = tiny_client.get(f"/tei/{task}/info").get_json()
    assert next(iter(info["model_type"])) == kind
    ours = next(m for m in tiny_client.get("/models").get_json()["models"] if m["task"] == task)
    assert info["model_sha"] == ours["digest"]


def test_tokens_are_all_of_a_text_and_say_where_they_stand(tiny_client: FlaskClient) -> None:
    text = "好" * 300  # the tiny model reads 128 tokens
    (tokens,) = ask(tiny_client, "/tokenize", {"inputs": text})
    assert [one["special"] for one in tokens] == [True, *[False] * 300, True]
    assert [text[one["start"] : one["stop"]] for one in tokens[1:-1]] == ["好"] * 300
    assert (tokens[0]["text"], tokens[0]["start"], tokens[0]["stop"]) == ("[CLS]", None, None)
    bare = ask(tiny_client, "/tei/rerank/tokenize", {"inputs": [text, "坏"], "add_special_tokens": False})
    assert list(map(len, bare)) == [300, 1]


def test_a_task_without_a_model(tmp_path: object) -> None:
    from app import create_app
    from structbert_lite.settings import Settings

    client = create_app(Settings(models=tmp_path)).test_client()
    for answer in (client.get("/tei/rerank/info"), client.post("/tei/rerank/tokenize", json={"inputs": "a"})):
        assert (answer.status_code, answer.get_json()["error_type"]) == (404, "Validation")
