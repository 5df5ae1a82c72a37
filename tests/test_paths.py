"""Which body at which path is whose."""

import pytest

from structbert_lite.paths import (
    FORMS_AT,
    SHARED,
    TASKS,
    Dialect,
    dialect_of_path,
    find_clash,
    find_form,
    guess_dialect,
)


@pytest.mark.parametrize(
    ("path", "body", "expected"),
    [
        ("/predict", {"text": "a"}, None),
        ("/predict", {"inputs": "a"}, Dialect.TEI),
        ("/predict", {"inputs": "a", "texts": ["a"]}, None),  # a field of ours, if not of this route
        ("/rerank", {"query": "a", "documents": ["a"]}, None),
        ("/rerank", {"query": "a", "texts": ["a"], "model": "m"}, Dialect.TEI),
        ("/rerank", {"query": "a", "documents": ["a"], "model": "m"}, Dialect.JINA),
        ("/rerank", {"query": "a", "model": "m"}, Dialect.JINA),
        ("/rerank", {}, None),
        ("/v1/rerank", {"query": "a", "documents": ["a"]}, Dialect.JINA),
    ],
)
def test_whose_a_body_is(path: str, body: dict, expected: Dialect | None) -> None:
    form = find_form(path, body)
    assert (form.dialect if form else None) == expected


@pytest.mark.parametrize(
    ("path", "body", "expected"),
    [
        ("/predict", {"text": "a", "inputs": "a"}, ("inputs", "text")),
        ("/rerank", {"query": "a", "documents": ["a"], "texts": ["a"]}, ("texts", "documents")),
        ("/rerank", {"query": "a", "documents": ["a"], "model": "m"}, None),
        ("/rerank", {"query": "a", "texts": ["a"], "model": "m"}, None),
        ("/similarity", {"text_a": "a", "text_b": "b", "pairs": []}, None),  # both ours: said by the route
        ("/tei", {"inputs": "a", "parameters": {}}, None),
        ("/tei", {"inputs": "a", "texts": ["a"], "query": "a"}, ("texts", "inputs")),
        ("/nowhere", {"text": "a", "inputs": "a"}, None),
    ],
)
def test_a_body_of_two_forms(path: str, body: dict, expected: tuple | None) -> None:
    clash = find_clash(path, body)
    assert (set(clash) if clash else None) == (set(expected) if expected else None)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/v1/models", Dialect.OPENAI),
        ("/v1/rerank", Dialect.JINA),
        ("/v1/embed", Dialect.COHERE),
        ("/v2/nothing", Dialect.COHERE),
        ("/v22", Dialect.OURS),
        ("/tei/rerank/info", Dialect.TEI),
        ("/embeddings", Dialect.OPENAI),
        ("/predict", Dialect.OURS),
        ("/vault", Dialect.OURS),
    ],
)
def test_whose_a_path_is(path: str, expected: Dialect) -> None:
    assert dialect_of_path(path) == expected


def test_a_field_is_found_at_either_end_of_a_long_body() -> None:
    long = b'"' + b"x" * 100_000 + b'"'
    assert guess_dialect("/rerank", b'{"documents": [' + long + b'], "model": "m"}') == Dialect.JINA
    assert guess_dialect("/rerank", b'{"texts": [' + long + b"]}") == Dialect.TEI
    assert guess_dialect("/rerank", b'{"documents": ["\\"model\\""]}') == Dialect.OURS
    assert guess_dialect("/predict", b"") == Dialect.OURS


def test_a_task_is_known_of_every_path_whose_body_does_not_decide_it() -> None:
    assert {path for path in FORMS_AT if path not in TASKS} == {"/tei"}
    assert (TASKS["/v2/rerank"], TASKS["/tei/zero-shot"], TASKS["/classify"]) == ("rerank", "zero-shot", "zero-shot")
    assert {"/predict", "/similarity", "/embed", "/classify", "/rerank"} == SHARED
