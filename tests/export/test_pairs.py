"""Pairs from texts, and labelled pairs from a file."""

import pytest

from export.pairs import make_pairs, read_pairs
from export.refusal import ExportRefused

ROWS = [(f"甲{i}", f"乙,{i}", i % 2) for i in range(20)]


def write(path, rows, delimiter="\t", header="text_a text_b label"):
    lines = [delimiter.join(header.split()), *(delimiter.join(f'"{value}"' for value in row) for row in rows)]
    path.write_text("\n".join(lines), "utf-8")
    return path


def test_a_pair_for_each_text_related_or_not():
    texts = ["一二三四", "五六七八", "九十"]
    assert make_pairs(texts) == [("一二三四", "五六七八"), ("五六七八", "五六七"), ("九十", "一二三四")]


@pytest.mark.parametrize("delimiter", ["\t", ","])
def test_tsv_and_csv(tmp_path, delimiter):
    found = read_pairs(write(tmp_path / "pairs", ROWS, delimiter))
    assert found.pairs == [(a, b) for a, b, _ in ROWS]
    assert found.labels == [label for _, _, label in ROWS]


@pytest.mark.parametrize(
    ("rows", "header", "cause"),
    [
        (ROWS, "a b label", "needs rows under a header with text_a, text_b, label"),
        ([], "text_a text_b label", "needs rows under a header"),
        ([*ROWS, ("a", "b", 2)], "text_a text_b label", "row 22 of .* is no pair"),
        ([*ROWS, ("a", "", 1)], "text_a text_b label", "row 22 of .* is no pair"),
        ([*ROWS, ("a", "b")], "text_a text_b label", "row 22 of .* is no pair"),
        (ROWS[:19], "text_a text_b label", "9 pairs with the label 1, 10 are needed"),
    ],
)
def test_files_that_are_no_pairs(tmp_path, rows, header, cause):
    with pytest.raises(ExportRefused, match=cause):
        read_pairs(write(tmp_path / "pairs.tsv", rows, header=header))


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(ExportRefused, match="cannot be read: No such file"):
        read_pairs(tmp_path / "none.tsv")
    (tmp_path / "latin.tsv").write_bytes(b"text_a\ttext_b\tlabel\n\xff\tb\t1\n")
    with pytest.raises(ExportRefused, match="is not UTF-8"):
        read_pairs(tmp_path / "latin.tsv")
