"""Text Embeddings Inference's and Hugging Face's bodies on the paths of our own routes."""

from pathlib import Path

import numpy as np
import pytest
from flask.testing import FlaskClient

from app import create_app
from structbert_lite.settings import Settings

TEXT, OTHER = "这部电影太烂了，完全浪费时间", "物流很快，包装也很好"
LABELS = ["咨询", "投诉", "建议"]
LONG = "好" * 5000
SENTENCES = {"source_sentence": "怎么退款", "sentences": ["如何退款", "怎么修改地址"]}
ZERO_SHOT = {"inputs": "什么时候有货", "parameters": {"candidate_labels": LABELS}}


def ask(client: FlaskClient, route: str, body: dict, **headers: str) -> object:
    answer = client.post(route, json=body, headers=headers)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return answer.get_json()


def test_embed_answers_with_rows_whatever_was_given(tiny_client: FlaskClient) -> None:
    ours = ask(tiny_client, "/embed", {"texts": [TEXT, OTHER]})["embeddings"]
    assert ask(tiny_client, "/embed", {"inputs": [TEXT, OTHER]}) == ours
    assert ask(tiny_client, "/embed", {"inputs": TEXT}) == ours[:1]
    options = {"truncate": True, "truncation_direction": "Right", "prompt_name": None, "dimensions": 8, "unknown": 1}
    assert ask(tiny_client, "/embed", {"inputs": TEXT} | options) == ours[:1]


def test_embed_without_normalization_gives_the_models_own_vector(tiny_client: FlaskClient) -> None:
    (unit,) = ask(tiny_client, "/embed", {"inputs": TEXT})
    (raw,) = ask(tiny_client, "/embed", {"inputs": TEXT, "normalize": False})
    assert np.linalg.norm(raw) != pytest.approx(1, abs=0.01)
    assert np.divide(raw, np.linalg.norm(raw)) == pytest.approx(unit, abs=1e-6)


def test_predict_one_text_and_a_batch(tiny_client: FlaskClient) -> None:
    ours = ask(tiny_client, "/predict_batch", {"texts": [TEXT, OTHER]})
    expected = [
        sorted(({"score": s, "label": name} for name, s in one["probabilities"].items()), key=lambda x: -x["score"])
        for one in ours
    ]
    assert [one[0]["label"] for one in expected] == ["Negative", "Positive"]
    assert ask(tiny_client, "/predict", {"inputs": TEXT}) == expected[0]
    assert ask(tiny_client, "/predict", {"inputs": [TEXT]}) == expected[0]
    assert ask(tiny_client, "/predict", {"inputs": [[TEXT], [OTHER]]}) == expected
    assert ask(tiny_client, "/predict", {"inputs": [[TEXT]]}) == expected[:1]


def test_predict_for_hugging_face_nests_once_more(tiny_client: FlaskClient) -> None:
    plain = ask(tiny_client, "/predict", {"inputs": TEXT})
    assert ask(tiny_client, "/predict", {"inputs": TEXT, "parameters": {}}) == [plain]
    parameters = {"top_k": 1, "function_to_apply": "softmax"}
    assert ask(tiny_client, "/predict", {"inputs": TEXT, "parameters": parameters}) == [plain[:1]]


def test_the_client_for_javascript_gets_the_answers_that_it_reads(tiny_client: FlaskClient) -> None:
    agent = {"User-Agent": "@huggingface/inference/4.13.30 Node.js/20"}
    plain = ask(tiny_client, "/predict", {"inputs": TEXT})
    assert ask(tiny_client, "/predict", {"inputs": TEXT}, **agent) == [plain]
    one = ask(tiny_client, "/classify", ZERO_SHOT)
    listed = ZERO_SHOT | {"inputs": [ZERO_SHOT["inputs"]]}
    assert ask(tiny_client, "/classify", listed, **agent) == one
    assert ask(tiny_client, "/classify", listed) == [one]


def test_zero_shot_of_several_texts(tiny_client: FlaskClient) -> None:
    answers = ask(tiny_client, "/classify", ZERO_SHOT | {"inputs": [TEXT, OTHER]})
    assert answers == [ask(tiny_client, "/classify", ZERO_SHOT | {"inputs": text}) for text in (TEXT, OTHER)]
    refused = tiny_client.post("/classify", json=ZERO_SHOT | {"inputs": [TEXT, " "]})
    assert (refused.status_code, refused.get_json()["error"][:9]) == (422, "inputs[1]")


def test_a_blank_text_has_the_vector_of_an_empty_input(tiny_client: FlaskClient) -> None:
    space, line, hidden, text = ask(tiny_client, "/embed", {"inputs": [" ", "\n", "\u200b", TEXT]})
    assert space == line == hidden != text
    assert ask(tiny_client, "/embed", {"inputs": TEXT}) == [text]


def test_rerank_answers_with_a_bare_array(tiny_client: FlaskClient) -> None:
    texts = ["坏", "好好", "好"]
    ours = ask(tiny_client, "/rerank", {"query": "哪里", "documents": texts})["results"]
    plain = ask(tiny_client, "/rerank", {"query": "哪里", "texts": texts})
    assert plain == [{"index": one["index"], "score": one["relevance_score"]} for one in ours]
    shown = ask(tiny_client, "/rerank", {"query": "哪里", "texts": texts, "return_text": True, "raw_scores": False})
    assert [list(one) for one in shown] == [["index", "text", "score"]] * 3
    assert [one["text"] for one in shown] == ["好好", "好", "坏"]


def test_similarity(tiny_client: FlaskClient) -> None:
    pairs = [[SENTENCES["source_sentence"], other] for other in SENTENCES["sentences"]]
    ours = [one["score"] for one in ask(tiny_client, "/similarity", {"pairs": pairs})]
    assert ask(tiny_client, "/similarity", {"inputs": SENTENCES}) == ours
    assert ask(tiny_client, "/similarity", {"inputs": SENTENCES, "parameters": {}}) == ours


@pytest.mark.parametrize("options", [{}, {"multi_label": True}, {"hypothesis_template": "这是{}"}])
def test_zero_shot(tiny_client: FlaskClient, options: dict) -> None:
    ours = ask(tiny_client, "/classify", {"text": ZERO_SHOT["inputs"], "labels": LABELS} | options)
    body = {"inputs": ZERO_SHOT["inputs"], "parameters": {"candidate_labels": LABELS} | options}
    rows = [{"label": label, "score": score} for label, score in zip(ours["labels"], ours["scores"], strict=True)]
    assert ask(tiny_client, "/classify", body) == rows


@pytest.mark.parametrize(
    ("version", "columns"),
    [("0.36.2", True), ("1.0.1", True), ("1.1.4", True), ("1.1.5", False), ("1.10.0", False), ("2.4.0", False)],
)
def test_an_old_client_gets_the_zero_shot_answer_that_it_reads(
    tiny_client: FlaskClient, version: str, columns: bool
) -> None:
    answer = ask(tiny_client, "/classify", ZERO_SHOT, **{"User-Agent": f"unknown/None; hf_hub/{version}; python/3.11"})
    assert isinstance(answer, dict) is columns
    if columns:
        assert list(answer) == ["sequence", "labels", "scores"]


REFUSED = [
    ("/embed", {"inputs": []}, "inputs: "),
    ("/embed", {"inputs": ""}, "inputs: "),
    ("/embed", {"inputs": ["a", ""]}, "inputs[1]: "),
    ("/embed", {"inputs": [1, 2]}, "inputs: token ids"),
    ("/embed", {"inputs": "a", "dimensions": 4}, "dimensions: "),
    ("/embed", {"inputs": "a", "prompt_name": "query"}, "prompt_name: "),
    ("/embed", {"inputs": "a", "truncation_direction": "left"}, "truncation_direction: "),
    ("/embed", {"inputs": ["a", LONG], "truncate": False}, "inputs: a text is longer"),
    ("/predict", {"inputs": [TEXT, OTHER]}, "inputs: an array of two strings is a pair"),
    ("/predict", {"inputs": [[TEXT, OTHER]]}, "inputs: an array of two strings is a pair"),
    ("/predict", {"inputs": [[TEXT], OTHER]}, "inputs: "),
    ("/predict", {"inputs": ["a", "b", "c"]}, "inputs: each text of a batch"),
    ("/predict", {"inputs": []}, "inputs: "),
    ("/predict", {"inputs": [[]]}, "inputs: "),
    ("/predict", {"inputs": {"text": "a"}}, "inputs: "),
    ("/predict", {"inputs": [["a"], [" "]]}, "inputs[1]: "),
    ("/predict", {"inputs": "a", "raw_scores": True}, "raw_scores: "),
    ("/predict", {"inputs": "a", "raw_scores": 0}, "raw_scores: "),
    ("/predict", {"inputs": LONG, "truncate": False}, "inputs: a text is longer"),
    ("/predict", {"inputs": "a", "parameters": {"function_to_apply": "sigmoid"}}, "parameters.function_to_apply: "),
    ("/rerank", {"query": " ", "texts": ["a"]}, "query: "),
    ("/rerank", {"query": "a", "texts": []}, "texts: "),
    ("/rerank", {"query": "a", "texts": ["a", ""]}, "texts[1]: "),
    ("/rerank", {"query": "a", "texts": ["a"], "raw_scores": True}, "raw_scores: "),
    ("/rerank", {"query": "a", "texts": ["a"], "raw_scores": 0}, "raw_scores: "),
    ("/rerank", {"texts": ["a"]}, "query: "),
    ("/similarity", {"inputs": "a"}, "inputs: "),
    ("/similarity", {"inputs": {"source_sentence": "a", "sentences": []}}, "inputs.sentences: "),
    ("/similarity", {"inputs": {"source_sentence": " ", "sentences": ["a"]}}, "inputs.source_sentence: "),
    ("/similarity", {"inputs": {"source_sentence": "a", "sentences": ["a", " "]}}, "inputs.sentences[1]: "),
    ("/classify", {"inputs": "a"}, "parameters: "),
    ("/classify", {"inputs": " ", "parameters": {"candidate_labels": ["a"]}}, "inputs: "),
    ("/classify", {"inputs": "a", "parameters": {"candidate_labels": ["a", "a"]}}, "parameters.candidate_labels[1]: "),
    (
        "/classify",
        {"inputs": "a", "parameters": {"candidate_labels": ["a"], "hypothesis_template": "x"}},
        "parameters.hypothesis_template: ",
    ),
]


@pytest.mark.parametrize(("route", "body", "message"), REFUSED)
def test_what_cannot_be_used_is_refused_in_tei_s_shape(
    tiny_client: FlaskClient, route: str, body: dict, message: str
) -> None:
    answer = tiny_client.post(route, json=body)
    assert answer.status_code == 422
    assert answer.get_json() == {"error": answer.get_json()["error"], "error_type": "Validation"}
    assert answer.get_json()["error"].startswith(message)


@pytest.mark.parametrize(
    ("route", "body"),
    [
        ("/embed", {"inputs": ["a"] * 65}),
        ("/predict", {"inputs": [["a"]] * 65}),
        ("/rerank", {"query": "a", "texts": ["a"] * 65}),
        ("/similarity", {"inputs": {"source_sentence": "a", "sentences": ["a"] * 65}}),
        ("/classify", {"inputs": "a", "parameters": {"candidate_labels": [f"l{n}" for n in range(65)]}}),
    ],
)
def test_too_many_items(tiny_client: FlaskClient, route: str, body: dict) -> None:
    answer = tiny_client.post(route, json=body)
    assert (answer.status_code, answer.get_json()["error_type"]) == (422, "Validation")
    assert "the limit is 64" in answer.get_json()["error"]


@pytest.mark.parametrize(
    ("route", "body", "field"),
    [
        ("/predict", {"text": "a", "inputs": "a"}, "inputs"),
        ("/embed", {"texts": ["a"], "inputs": "a"}, "inputs"),
        ("/embed", {"text": "a", "inputs": "a"}, "texts"),
        ("/similarity", {"text_a": "a", "text_b": "b", "inputs": SENTENCES}, "inputs"),
        ("/classify", {"text": "a", "labels": ["a"], "inputs": "a"}, "inputs"),
        ("/rerank", {"query": "a", "documents": ["a"], "texts": ["a"]}, "texts"),
    ],
)
def test_a_body_of_both_services_is_refused_as_ours(
    tiny_client: FlaskClient, route: str, body: dict, field: str
) -> None:
    answer = tiny_client.post(route, json=body)
    error = answer.get_json()["error"]
    assert (answer.status_code, error["type"], error["field"]) == (422, "invalid_input", field)


def test_info_is_about_the_embedding_model(tiny_client: FlaskClient) -> None:
    info = tiny_client.get("/info").get_json()
    ours = next(m for m in tiny_client.get("/models").get_json()["models"] if m["task"] == "embedding")
    assert (info["model_id"], info["model_sha"]) == (ours["name"], ours["digest"])
    assert info["model_type"] == {"embedding": {"pooling": "mean"}}
    assert info["max_input_length"] == ours["limits"]["max_tokens"]
    assert info["max_client_batch_size"] == ours["limits"]["max_items"]


def test_info_without_an_embedding_model_is_about_another(tmp_path: Path, model_folder: Path) -> None:
    answer = create_app(Settings(models=tmp_path)).test_client().get("/info")
    assert (answer.status_code, answer.get_json()["error_type"]) == (404, "Validation")
    (tmp_path / "sentiment").symlink_to(model_folder)
    info = create_app(Settings(models=tmp_path, load="lazy")).test_client().get("/info").get_json()
    assert info["model_id"] == "sentiment"
    assert info["model_type"]["classifier"]["id2label"] == {"0": "Negative", "1": "Positive"}


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [("/predict", {"inputs": "好", "parameters": 5}, "parameters"), ("/similarity", {"inputs": "x"}, "inputs")],
)
def test_what_must_be_an_object_is_told_without_the_name_of_a_class(
    tiny_client: FlaskClient, path: str, body: dict, field: str
) -> None:
    answer = tiny_client.post(path, json=body)
    assert (answer.status_code, answer.json) == (
        422,
        {"error": f"{field}: this must be an object", "error_type": "Validation"},
    )
