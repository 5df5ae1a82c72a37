"""Collections, and BM25 on them."""

from pathlib import Path

import pytest

from structbert_lite.evaluate.retrieval import Bm25, find_parts, read_collection, split_terms

PARTS = {
    "corpus": "doc_id\ttext\na\t甲\nb\t乙\n",
    "queries": "query_id\ttext\np\t问\nq\t答\nr\t空\n",
    "qrels": "query_id\tdoc_id\trel\np\ta\t2\np\tb\t0\nq\tb\t1\nr\ta\t0\n",
}
DOCUMENTS = {"a": "苹果公司发布了新的手机", "b": "苹果和梨都是水果，富含维生素C", "c": "故宫在每周一闭馆"}


def write(folder: Path, **changed: str) -> Path:
    for name, text in (PARTS | changed).items():
        (folder / f"{name}.tsv").write_text(text, encoding="utf-8")
    return folder


def test_queries_without_a_relevant_document_are_left_out(tmp_path: Path) -> None:
    collection = read_collection(*find_parts(write(tmp_path)), None)
    assert collection.documents == {"a": "甲", "b": "乙"}
    assert collection.queries == {"p": "问", "q": "答"}
    assert collection.judgements == {"p": {"a": 2.0, "b": 0.0}, "q": {"b": 1.0}}


def test_a_sample_is_the_same_every_time(tmp_path: Path) -> None:
    parts = find_parts(write(tmp_path))
    first = read_collection(*parts, 1)
    assert len(first.queries) == len(first.judgements) == 1
    assert read_collection(*parts, 1) == first


@pytest.mark.parametrize(
    ("part", "text", "message"),
    [
        ("corpus", "doc_id\ttext\na\t甲\na\t乙\n", "row 2 of .* has the doc_id a a second time"),
        ("qrels", "query_id\tdoc_id\trel\np\tz\t1\n", "row 1 of .* has the doc_id z, which is in no other file"),
        ("qrels", "query_id\tdoc_id\trel\nz\ta\t1\n", "row 1 of .* has the query_id z"),
        ("qrels", "query_id\tdoc_id\trel\np\ta\tyes\n", "the rel 'yes', not a number"),
        ("qrels", "query_id\tdoc_id\trel\np\ta\t0\n", "no relevant document for any query"),
    ],
)
def test_files_that_do_not_belong_together_are_refused(tmp_path: Path, part: str, text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read_collection(*find_parts(write(tmp_path, **{part: text})), None)


def test_terms() -> None:
    assert split_terms("去故宫 ＷｉＦｉ5G！v_2") == ["去", "故", "宫", "去故", "故宫", "wifi5g", "v", "2"]
    assert split_terms("用iPhone拍") == ["用", "iphone", "拍"]
    assert split_terms("！？") == []


@pytest.fixture
def ranking() -> Bm25:
    pytest.importorskip("bm25s", reason="needs requirements-evaluate.txt")
    return Bm25(DOCUMENTS)


def test_the_document_that_shares_words_comes_first(ranking: Bm25) -> None:
    assert ranking.rank("故宫周几闭馆", 3)[0] == "c"
    assert ranking.rank("哪些水果有维生素c", 2)[0] == "b"


def test_a_query_without_any_known_term_keeps_the_order(ranking: Bm25) -> None:
    assert ranking.rank("？？", 3) == ["a", "b", "c"]
    assert ranking.rank("xyz", 2) == ["a", "b"]
