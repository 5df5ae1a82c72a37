import pytest

pytest.importorskip("bm25s", reason="needs requirements-evaluate.txt")

from structbert_lite.evaluate.retrieval import Bm25, split_terms

DOCUMENTS = {"a": "苹果公司发布了新的手机", "b": "苹果和梨都是水果，富含维生素C", "c": "故宫在每周一闭馆"}


def test_terms() -> None:
    assert split_terms("去故宫 ＷｉＦｉ5G！v_2") == ["去", "故", "宫", "去故", "故宫", "wifi5g", "v", "2"]
    assert split_terms("用iPhone拍") == ["用", "iphone", "拍"]
    assert split_terms("！？") == []


def test_the_document_that_shares_words_comes_first() -> None:
    ranking = Bm25(DOCUMENTS)
    assert ranking.rank("故宫周几闭馆", 3)[0] == "c"
    assert ranking.rank("哪些水果有维生素c", 2)[0] == "b"


def test_a_query_without_any_known_term_keeps_the_order() -> None:
    assert Bm25(DOCUMENTS).rank("？？", 3) == ["a", "b", "c"]
    assert Bm25(DOCUMENTS).rank("xyz", 2) == ["a", "b"]
