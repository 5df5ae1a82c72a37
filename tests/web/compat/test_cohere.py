"""POST /v1/rerank and /v2/rerank, as Cohere's and Jina's services answer them."""

import pytest
from flask.testing import FlaskClient

QUERY, DOCUMENTS = "哪里能吃饭", ["坏", {"text": "好好", "id": 7}, "好"]


def rerank(client: FlaskClient, version: int, **body: object) -> dict:
    answer = client.post(f"/v{version}/rerank", json={"model": "any", "query": QUERY, "documents": DOCUMENTS} | body)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return answer.get_json()


@pytest.mark.parametrize("version", [1, 2])
def test_the_answer_has_cohere_s_and_jina_s_fields_and_our_scores(tiny_client: FlaskClient, version: int) -> None:
    answer = rerank(tiny_client, version)
    assert list(answer) == ["id", "model", "results", "usage", "meta"]
    assert (answer["model"], answer["meta"]["api_version"]["version"]) == ("rerank", str(version))
    assert answer["id"]
    ours = tiny_client.post("/rerank", json={"query": QUERY, "documents": ["坏", "好好", "好"]}).get_json()["results"]
    given = [{"text": "坏"}, DOCUMENTS[1], {"text": "好"}]
    # At the second version they come without asking, as vLLM's do, which MaxKB reads.
    documents = [{"document": given[one["index"]]} if version == 2 else {} for one in ours]
    scores = [{k: one[k] for k in ("index", "relevance_score")} for one in ours]
    assert answer["results"] == [score | document for score, document in zip(scores, documents, strict=True)]
    assert [one["index"] for one in answer["results"]] == [1, 2, 0]


def test_documents_come_back_as_they_were_given(tiny_client: FlaskClient) -> None:
    answer = rerank(tiny_client, 1, top_n=2, return_documents=True)
    assert [one["document"] for one in answer["results"]] == [{"text": "好好", "id": 7}, {"text": "好"}]


def test_whatever_was_read_of_a_document_can_be_written_again(tiny_client: FlaskClient) -> None:
    for depth in range(90, 101):
        extra = "[" * depth + "]" * depth
        body = f'{{"query": "好", "documents": [{{"text": "好", "x": {extra}}}], "return_documents": true}}'
        answer = tiny_client.post("/v1/rerank", data=body, content_type="application/json")
        # The body, the documents and one of them are three levels.
        assert answer.status_code == (200 if depth + 3 <= 100 else 400)


def test_a_whole_number_may_be_written_as_a_float(tiny_client: FlaskClient) -> None:
    assert len(rerank(tiny_client, 1, top_n=1.0)["results"]) == 1


def test_tokens_are_those_of_every_window_with_the_query(tiny_client: FlaskClient) -> None:
    # [CLS] query [SEP] document [SEP]; what is left out of the answer was read all the same.
    expected = sum(len(QUERY) + length + 3 for length in (1, 2, 1))
    for top_n in (None, 1):
        answer = rerank(tiny_client, 2, top_n=top_n)
        assert answer["usage"] == {"prompt_tokens": expected, "total_tokens": expected}
        assert answer["meta"]["tokens"] == {"input_tokens": expected, "output_tokens": 0}
    # The tiny model reads 64 tokens, so that two hundred need several windows, and the query stands in each.
    assert rerank(tiny_client, 2, documents=["好" * 200])["usage"]["total_tokens"] > 200 + 4 * (len(QUERY) + 3)


def test_the_second_version_leaves_documents_out_where_they_are_declined(tiny_client: FlaskClient) -> None:
    assert "document" not in rerank(tiny_client, 2, return_documents=False)["results"][0]


def test_true_and_numbers_may_be_strings(tiny_client: FlaskClient) -> None:
    spelled = rerank(tiny_client, 1, return_documents="true", return_len="true", top_n="2")
    assert spelled["results"] == rerank(tiny_client, 1, return_documents=True, top_n=2)["results"]
    assert rerank(tiny_client, 1, return_documents="False")["results"] == rerank(tiny_client, 1)["results"]
    answer = tiny_client.post("/v1/rerank", json={"query": "好", "documents": ["好"], "return_documents": "maybe"})
    assert answer.get_json()["detail"] == "return_documents: this must be true or false"


def test_a_model_at_our_own_path_means_jina_s_form(tiny_client: FlaskClient) -> None:
    body = {"model": "any", "query": QUERY, "documents": DOCUMENTS, "raw_scores": False}
    answer = tiny_client.post("/rerank", json=body).get_json()
    assert answer["results"] == rerank(tiny_client, 1)["results"]
    assert list(answer) == ["id", "model", "results", "usage", "meta"]
    refused = tiny_client.post("/rerank", json=body | {"query": " "})
    assert (refused.status_code, set(refused.get_json())) == (422, {"message", "detail"})


@pytest.mark.parametrize("given", [False, True])
def test_elasticsearch(tiny_client: FlaskClient, given: bool) -> None:
    body = {"query": QUERY, "documents": ["坏", "好好", "好"], "return_documents": given, "top_n": 2}
    ours = tiny_client.post("/rerank", json=body).get_json()["results"]
    texts = [{"text": body["documents"][one["index"]]} if given else {} for one in ours]
    assert tiny_client.post("/elasticsearch/rerank", json=body).get_json() == [
        {"index": one["index"], "relevance_score": one["relevance_score"]} | text
        for one, text in zip(ours, texts, strict=True)
    ]


def test_unknown_fields_are_ignored(tiny_client: FlaskClient) -> None:
    options = {"max_tokens_per_doc": 4096, "max_chunks_per_doc": 10, "rank_fields": ["text"], "priority": 1, "x": 1}
    assert rerank(tiny_client, 1, **options)["results"] == rerank(tiny_client, 1)["results"]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"query": None}, "query: "),
        ({"query": " "}, "query: "),
        ({"documents": []}, "documents: "),
        ({"documents": "a"}, "documents: "),
        ({"documents": ["a", 3]}, "documents[1]: "),
        ({"documents": ["a", " "]}, "documents[1]: "),
        ({"documents": [{"title": "a"}]}, "documents[0].text: "),
        ({"top_n": 0}, "top_n: "),
        ({"top_n": 1.5}, "top_n: "),
        ({"rank_fields": ["title"]}, "rank_fields[0]: "),
    ],
)
def test_what_cannot_be_used_is_refused_in_cohere_s_shape(tiny_client: FlaskClient, body: dict, message: str) -> None:
    answer = tiny_client.post("/v2/rerank", json={"query": QUERY, "documents": DOCUMENTS} | body)
    assert (answer.status_code, list(answer.get_json())) == (422, ["message"])
    assert answer.get_json()["message"].startswith(message)


def test_too_many_documents(tiny_client: FlaskClient) -> None:
    answer = tiny_client.post("/v1/rerank", json={"query": QUERY, "documents": ["a"] * 65})
    assert answer.status_code == 413
    assert "the limit is 64" in answer.get_json()["message"]
