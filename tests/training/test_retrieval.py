from pathlib import Path

import pytest

pytest.importorskip("opencc", reason="needs requirements-train.txt")

from training.retrieval import read_searches, windows


def write(path: Path, *rows: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(row.replace("|", "\t") for row in rows) + "\n", encoding="utf-8")


def test_windows_cover_every_character() -> None:
    text = "".join(chr(0x4E00 + i) for i in range(1000))
    pieces = windows(text, 128)
    assert all(len(piece) <= 128 for piece in pieces)
    assert {c for piece in pieces for c in piece} == set(text)
    assert windows("短", 128) == ["短"]


def test_negatives_are_other_documents_and_traditional_characters_become_simplified(tmp_path: Path) -> None:
    fruits = ["苹果是一种水果", "香蕉是黄色的水果", "葡萄可以酿酒", "西瓜夏天吃", "桃子有毛", "梨子多汁"]
    for name, split in (("cmrc2018", "trial"), ("csl_title_abstract", "dev"), ("toyhom_medical_sample", "train")):
        folder = tmp_path / "retrieval" / name
        write(folder / "corpus.tsv", "doc_id|text", *(f"T{i}|{text}" for i, text in enumerate(fruits)))
        write(folder / f"queries.{split}.tsv", "query_id|text", "q|哪种水果是黄色的")
        write(folder / f"qrels.{split}.tsv", "query_id|doc_id|rel", "q|T1|1")
    folder = tmp_path / "retrieval" / "drcd_traditional"
    write(folder / "corpus.tsv", "doc_id|text", "a|蘋果是水果", "b|電腦與軟體", "c|火車很長", "d|飛機很快")
    write(folder / "queries.dev.tsv", "query_id|text", "q|甚麼東西很長")
    write(folder / "qrels.dev.tsv", "query_id|doc_id|rel", "q|c|1")
    found = read_searches(tmp_path, 128, 1, 1, 1)
    assert [s.kind for s in found] == ["cmrc2018", "drcd_traditional", "csl_title_abstract", "toyhom_medical_sample"]
    assert found[1].answer == "火车很长"
    for s in found:
        assert s.answer not in s.misses
        assert 1 <= len(s.misses) <= 2
