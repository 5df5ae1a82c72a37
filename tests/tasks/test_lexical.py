from pathlib import Path

import numpy as np
import pytest

from structbert_lite.engine import Engine
from structbert_lite.errors import InvalidModel
from structbert_lite.manifest import LEXICAL_NAME, Lexical
from structbert_lite.request_context import RequestContext
from structbert_lite.settings import Settings
from structbert_lite.tasks.lexical import WordOverlap, bucket, overlap, terms
from tests.tiny_models import make_cross, table, write_manifest

FACTS = {"logit_scale": 1.0, "share": 4.0, "saturation": 2.0, "bias": -3.0, "average_length": 12.0}


def even(buckets: int = 1 << 12) -> np.ndarray:
    return np.ones(buckets, np.float32)


def test_terms_are_characters_neighbours_and_words() -> None:
    assert list(terms("iphone15怎么退, ok")) == ["iphone15", "怎", "么", "退", "怎么", "么退", "ok"]
    assert list(terms("。！ ")) == []


def test_shares_are_of_the_query_and_know_no_other_document() -> None:
    assert overlap("怎么退", "怎么退款呢", even(), 10)[0] == 1
    assert overlap("怎么退", "今天下雨", even(), 10) == (0, 0)
    assert overlap("？", "今天下雨", even(), 10) == (0, 0)
    half = overlap("退款", "退货", even(), 10)[0]
    assert half == pytest.approx(1 / 3)  # 退, of 退, 款 and 退款
    once, twice = (overlap("退", "退" * n + "货", even(), 10)[1] for n in (1, 2))
    assert 0 < once < twice < 1


def test_rare_terms_weigh_more() -> None:
    idf = even()
    idf[bucket("款", len(idf))] = 9
    assert overlap("退款", "款式", idf, 10)[0] > 0.7
    assert overlap("退款", "退货", idf, 10)[0] < 0.2


def test_the_fused_logit_is_the_sum_that_the_manifest_states() -> None:
    words = WordOverlap(even(), Lexical(**FACTS), str.lower)
    share, saturation = overlap("abc退款", "退款", even(), 12)
    assert words.fuse(0.5, "ABC退款", "退款") == pytest.approx(0.5 + 4 * share + 2 * saturation - 3)


@pytest.fixture
def models(tmp_path: Path) -> Path:
    make_cross(tmp_path / "rerank", "rerank", np.zeros_like(table(1)))
    np.savez(tmp_path / "rerank" / LEXICAL_NAME, idf=even())
    write_manifest(tmp_path / "rerank", "rerank", kind="cross-encoder", lexical=FACTS)
    return tmp_path


def test_a_reranker_with_a_table_prefers_the_words_of_the_query(models: Path) -> None:
    engine = Engine(Settings(models=models))
    documents = ["明天有雨", "申请退款请点这里", "退货的运费"]
    found = engine.predict("rerank", documents, RequestContext.within(60), query="怎么申请退款")
    alone = [engine.predict("rerank", [d], RequestContext.within(60), query="怎么申请退款")[0].score for d in documents]
    assert found[0].index == 1
    assert [r.score for r in sorted(found, key=lambda r: r.index)] == alone
    engine.close()


def test_it_does_not_read_what_stands_behind_the_last_word(tmp_path: Path) -> None:
    make_cross(tmp_path / "rerank", "rerank", table(1))
    np.savez(tmp_path / "rerank" / LEXICAL_NAME, idf=even())
    write_manifest(tmp_path / "rerank", "rerank", kind="cross-encoder", lexical=FACTS)
    engine = Engine(Settings(models=tmp_path))

    def scores(query: str, ending: str) -> list[float]:
        documents = ["申请退款请点这里" + ending, "明天有雨" + ending]
        return [r.score for r in engine.predict("rerank", documents, RequestContext.within(60), query=query + ending)]

    assert scores("退款", "") == scores("退款", "？？🐱") == scores("退款", " 🏠️。") != scores("退款", "吗")
    assert scores("C++", "") != scores("C", "")
    assert scores("？", "") == scores("？", "")
    engine.close()


@pytest.mark.parametrize("idf", [np.ones((2, 2), np.float32), np.ones(4), np.full(4, np.nan, np.float32), None])
def test_a_table_that_cannot_be_used_is_refused(models: Path, idf: np.ndarray | None) -> None:
    np.savez(models / "rerank" / LEXICAL_NAME, **({"idf": idf} if idf is not None else {"other": even()}))
    write_manifest(models / "rerank", "rerank", kind="cross-encoder", lexical=FACTS)
    with pytest.raises(InvalidModel, match=LEXICAL_NAME):
        Engine(Settings(models=models))


def test_a_manifest_that_names_a_table_needs_its_file(models: Path) -> None:
    (models / "rerank" / LEXICAL_NAME).unlink()
    write_manifest(models / "rerank", "rerank", kind="cross-encoder", lexical=FACTS)
    with pytest.raises(InvalidModel, match=f"does not list {LEXICAL_NAME}"):
        Engine(Settings(models=models))
