from collections import Counter

import pytest

from training.finetune.refusal import FinetuneRefused
from training.finetune.rows import Row, choose_labels, clean, split


def cleaned(*cells: tuple[str, str], **renames: str) -> tuple[list[Row], list[str]]:
    said: list[str] = []
    return clean(cells, renames, "a.csv", said.append), said


def test_stray_spaces_are_mended_and_counted() -> None:
    rows, said = cleaned((" 好 ", "正面"), ("很好", " 正面\u3000"), ("坏", "\ufeff负面"), ("差", "非常  差"))
    assert rows == [("好", "正面"), ("很好", "正面"), ("坏", "负面"), ("差", "非常 差")]
    assert said == ["a.csv: 3 labels with stray spaces mended"]


def test_rows_without_a_text_or_a_label_are_left_out_and_counted() -> None:
    rows, said = cleaned(("好", "正面"), ("", "正面"), ("坏", " "), ("\u3000", ""))
    assert rows == [("好", "正面")]
    assert said == ["a.csv: 3 rows without a text or without a label left out"]
    with pytest.raises(FinetuneRefused, match=r"a\.csv has no row with both a text and a label"):
        cleaned(("", "正面"))


def test_one_text_with_different_labels() -> None:
    rows, said = cleaned(("好", "正面"), ("好", "正面"), ("好", "负面"), ("行", "正面"), ("行", "负面"), ("坏", "负面"))
    assert rows == [("好", "正面"), ("坏", "负面")]
    assert said[0] == "a.csv: 3 rows with a text that had occurred before left out"
    assert "warning: 2 texts with different labels, for example '好' (正面, 负面)" in said[1]
    assert said[1].endswith("1 keep the label of most of their rows, 1 are left out")


def test_a_repeated_row_is_no_contradiction() -> None:
    rows, said = cleaned(("好", "正面"), ("好 ", "正面"))
    assert (rows, said) == ([("好", "正面")], ["a.csv: 1 row with a text that had occurred before left out"])


def test_texts_that_all_contradict_themselves_are_refused() -> None:
    with pytest.raises(FinetuneRefused, match=r"a\.csv has no text with one label: each has as many rows of one label"):
        cleaned(("好", "正面"), ("好", "负面"), ("坏", "负面"), ("坏", "正面"))


def test_labels_get_other_names() -> None:
    assert cleaned(("坏", "0"), ("好", "1"), **{"0": "负面"})[0] == [("坏", "负面"), ("好", "1")]


def make_rows(**counts: int) -> list[Row]:
    return [Row(f"{label}{n}", label) for label, count in counts.items() for n in range(count)]


@pytest.mark.parametrize(
    ("labels", "order"),
    [
        (["投诉", "咨询", "Other"], ("Other", "咨询", "投诉")),
        (["10", "9", "1"], ("1", "9", "10")),
        (["1", "-1", "0.5", "无"], ("-1", "0.5", "1", "无")),
    ],
)
def test_the_order_of_labels_is_always_the_same(labels: list[str], order: tuple[str, ...]) -> None:
    rows = make_rows(**dict.fromkeys(labels, 5))
    assert choose_labels(rows, 5, False, print) == choose_labels(rows[::-1], 5, False, print) == order


@pytest.mark.parametrize(
    ("rows", "cause"),
    [
        (make_rows(正面=9), "every row has the label '正面'"),
        (make_rows(正面=9, 负面=4), "1 label of 2 with fewer than 5 different texts each: '负面' (4); add rows"),
        (make_rows(**{f"第{n}行": 1 for n in range(9)}), "'第4行' (1) and 4 more"),
        (make_rows(**{f"第{n}行": 1 for n in range(9)}), "is this the right --label-column?"),
        (
            make_rows(Pos=9, pos=9),
            "'Pos' and 'pos' differ only in case or width; make one of them with --rename pos=Pos",
        ),
        (make_rows(**{"１星": 9, "1星": 9}), "differ only in case or width"),
    ],
)
def test_labels_that_cannot_be_learned(rows: list[Row], cause: str) -> None:
    with pytest.raises(FinetuneRefused) as caught:
        choose_labels(rows, 5, False, print)
    assert cause in str(caught.value)


def test_rare_labels_may_be_left_out() -> None:
    said: list[str] = []
    assert choose_labels(make_rows(甲=9, 乙=5, 丙=4), 5, True, said.append) == ("乙", "甲")
    assert said == ["1 label with fewer than 5 texts left out: '丙' (4)"]
    with pytest.raises(FinetuneRefused, match="1 label left; a classifier needs two"):
        choose_labels(make_rows(甲=9, 丙=4), 5, True, said.append)


def test_a_split_takes_of_each_label_its_share() -> None:
    rows = make_rows(甲=100, 乙=30, 丙=5)
    learned, dev = split(rows, 0.1, seed=1)
    assert Counter(row.label for row in dev) == {"甲": 10, "乙": 3, "丙": 1}
    assert sorted(learned + dev) == sorted(rows)
    assert split(rows, 0.1, seed=1) == (learned, dev)
    assert split(rows, 0.1, seed=2) != (learned, dev)
