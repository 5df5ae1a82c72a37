"""The tiny model finds a document the better the more often 好 stands in what it reads of it."""

import pytest

from structbert_lite.engine import Engine
from structbert_lite.errors import InvalidInput, TooManyItems
from structbert_lite.request_context import RequestContext
from structbert_lite.tasks.rerank import MAX_WINDOWS

QUERY = "哪里能吃饭"


def soon() -> RequestContext:
    return RequestContext.within(60)


def rank(engine: Engine, documents: list[str], query: str = QUERY, **options: object) -> list:
    return engine.predict("rerank", documents, soon(), query=query, **options)


def test_best_first_and_equals_in_the_callers_order(tiny_engine: Engine) -> None:
    ranked = rank(tiny_engine, ["坏", "好", "差", "好好", "坏"])
    assert [r.index for r in ranked] == [3, 1, 0, 2, 4]
    assert [r.score for r in ranked][1:3] == [0.880797, 0.5]  # sigmoid of 2 and of 0
    assert not any(r.truncated for r in ranked)


def test_top_n(tiny_engine: Engine) -> None:
    documents = ["坏", "好", "好好"]
    assert [r.index for r in rank(tiny_engine, documents, top_n=2)] == [2, 1]
    assert len(rank(tiny_engine, documents, top_n=9)) == 3


def test_the_end_of_a_long_document_is_read_and_a_window_is_not_a_sum(tiny_engine: Engine) -> None:
    far = "坏" * 700 + "好"
    both_ends = "好" + "坏" * 700 + "好"
    by_index = {r.index: r for r in rank(tiny_engine, ["好", far, both_ends])}
    assert by_index[0].score == by_index[1].score == by_index[2].score
    assert not any(r.truncated for r in by_index.values())


def test_what_was_not_read_is_told(tiny_engine: Engine) -> None:
    endless = "坏" * (64 * MAX_WINDOWS) + "好"
    by_index = {r.index: r for r in rank(tiny_engine, [endless, "好"])}
    assert (by_index[0].truncated, by_index[0].score) == (True, 0.5)
    assert by_index[1].truncated is False
    assert all(r.truncated for r in rank(tiny_engine, ["好", "坏"], query="饭" * 100))


def test_a_query_of_one_endless_word_is_answered_and_told(tiny_engine: Engine) -> None:
    ranked = rank(tiny_engine, ["坏", "好", "坏 " * 200], query="qxzjkw" * 16)
    assert [r.truncated for r in ranked] == [True] * 3


def test_all_windows_go_in_one_call(tiny_engine: Engine) -> None:
    runner = tiny_engine.runners["rerank"]
    before = runner.batcher.counts.rows
    one, two = ("".join(chr(first + n) for n in range(300)) for first in (0x4E00, 0x5E00))
    rank(tiny_engine, [one, two])
    first = runner.batcher.counts.rows - before
    assert first > 10
    rank(tiny_engine, [two, "三"])  # the windows of the first come from the cache
    assert runner.batcher.counts.rows - before == first + 1


def test_a_document_has_the_same_score_in_any_company(tiny_engine: Engine) -> None:
    documents = [f"第{n}份文件{'好坏' * (n * 7 % 60)}" for n in range(20)]
    together = {documents[r.index]: r.score for r in rank(tiny_engine, documents)}
    assert {document: rank(tiny_engine, [document])[0].score for document in documents} == together


@pytest.mark.parametrize(
    ("query", "documents", "field"), [(" ", ["好"], "query"), (QUERY, ["好", "\u200b"], "documents[1]")]
)
def test_what_cannot_be_used_is_named(tiny_engine: Engine, query: str, documents: list[str], field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        rank(tiny_engine, documents, query)
    assert caught.value.field == field


def test_documents_have_a_limit(tiny_engine: Engine) -> None:
    with pytest.raises(TooManyItems, match="65 documents in one request, the limit is 64"):
        rank(tiny_engine, ["好"] * 65)
