"""Labelled rows of a file, and the built-in pairs."""

from collections import Counter
from pathlib import Path

import openpyxl
import pytest

from structbert_lite.evaluate.rows import KINDS, LABELS, PERTURBATION, label_numbers, read_rows


def write(folder: Path, name: str, text: str) -> Path:
    (folder / name).write_text(text, encoding="utf-8")
    return folder / name


def test_tabs_keep_quotes_and_commas_read_them(tmp_path: Path) -> None:
    tab = write(tmp_path, "a.tsv", '\ufefflabel\ttext\r\n1\t"好,很好\r\n\n0\t差')
    comma = write(tmp_path, "a.csv", 'label,text\r\n1,"好,很""好"\r\n\n0,差\n')
    assert [row["text"] for row in read_rows(tab, ["label", "text"])] == ['"好,很好', "差"]
    assert [row["text"] for row in read_rows(comma, ["label", "text"])] == ['好,很"好', "差"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x\ty\n1\t2\n", r"it needs label and text \(label is missing\)"),
        ("", "it needs label and text"),
        ("label\ttext\n\n", "no rows under its header"),
        ("label\ttext\n1\t好\n0\n", "row 2 of .* has no text"),
    ],
)
def test_what_is_not_such_a_file_is_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read_rows(write(tmp_path, "a.tsv", text), ["label", "text"])


def test_gb18030_is_read_and_what_is_no_text_refused(tmp_path: Path) -> None:
    (tmp_path / "a.tsv").write_bytes("label\ttext\n1\t好\n".encode("gb18030"))
    assert read_rows(tmp_path / "a.tsv", ["label", "text"]) == [{"label": "1", "text": "好"}]
    (tmp_path / "a.tsv").write_bytes(b"label\ttext\n1\t\xff\xff\n")
    with pytest.raises(ValueError, match=r"a\.tsv is neither UTF-8 nor GB18030 text"):
        read_rows(tmp_path / "a.tsv", ["label", "text"])


def test_files_are_read_by_the_rules_of_bulk_scoring(tmp_path: Path) -> None:
    workbook = openpyxl.Workbook()
    for row in (["导出", None], ["label", "text"], [1, "好"]):
        workbook.active.append(row)
    workbook.save(tmp_path / "a.xlsx")
    (tmp_path / "a.jsonl").write_text('{"label": "1", "text": "好"}\n', encoding="utf-8")
    (tmp_path / "a.csv").write_bytes("sep=;\r\nlabel;text\r\n1;好\r\n".encode())
    for name in ("a.xlsx", "a.jsonl", "a.csv"):
        assert read_rows(tmp_path / name, ["label", "text"]) == [{"label": "1", "text": "好"}]
    with pytest.raises(ValueError, match=r"row 1 of .*a\.csv cannot be read: the row has 3 cells"):
        read_rows(write(tmp_path, "a.csv", "label,text\n1,好,很好\n"), ["label", "text"])


def test_labels_are_names_or_numbers() -> None:
    names = ("Negative", "Positive")
    assert label_numbers(Path("a"), [{"label": "Positive"}, {"label": "0"}], names) == [1, 0]
    with pytest.raises(ValueError, match="row 2 of a has the label '2', not one of Negative, Positive, 0, 1"):
        label_numbers(Path("a"), [{"label": "1"}, {"label": "2"}], names)


def test_labels_that_are_numbers_are_names() -> None:
    names = ("1", "2", "3")
    assert label_numbers(Path("a"), [{"label": "1"}, {"label": "3"}], names) == [0, 2]
    with pytest.raises(ValueError, match="has the label '0', not one of 1, 2, 3"):
        label_numbers(Path("a"), [{"label": "0"}], names)


ROWS = read_rows(PERTURBATION, ["text_a", "text_b", "label", "kind"])


def test_fifty_pairs_of_each_kind() -> None:
    assert Counter(row["kind"] for row in ROWS) == dict.fromkeys(KINDS, 50)


def test_labels_are_balanced() -> None:
    counts = Counter(label_numbers(PERTURBATION, ROWS, LABELS))
    assert set(counts) == {0, 1, 2}
    assert all(abs(count - len(ROWS) / 3) <= 3 for count in counts.values())


def test_each_kind_has_its_labels() -> None:
    found = {kind: {row["label"] for row in ROWS if row["kind"] == kind} for kind in KINDS}
    everything = {"0", "1", "2"}
    assert found == {"strong": {"2"}, "weak": {"0", "1"}, "sense": {"0"}, "length": everything, "noise": everything}


def test_no_pair_stands_twice_in_either_order() -> None:
    assert len({frozenset((row["text_a"], row["text_b"])) for row in ROWS}) == len(ROWS)
    assert all(row["text_a"].strip() and row["text_b"].strip() for row in ROWS)


def test_strong_pairs_share_few_characters() -> None:
    for row in ROWS:
        if row["kind"] == "strong":
            a, b = set(row["text_a"]), set(row["text_b"])
            assert len(a & b) / len(a | b) <= 0.25, row


def test_pairs_of_different_length_are_different_in_length() -> None:
    for row in ROWS:
        if row["kind"] == "length":
            short, long = sorted((len(row["text_a"]), len(row["text_b"])))
            assert short <= 12, row
            assert long >= 60, row
