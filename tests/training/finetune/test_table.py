from pathlib import Path

import openpyxl
import pytest

from training.finetune.refusal import FinetuneRefused
from training.finetune.table import read_table

ROWS = [("物流很快", "好评"), ("一般，还行", "中评")]


def read(folder: Path, name: str, content: str | bytes, columns: tuple[str, str] = ("text", "label")):
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    said: list[str] = []
    return read_table(path, columns, said.append), said


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", 'id,text,label\r\n1,物流很快,好评\r\n2,"一般，还行",中评\r\n'),
        ("a.csv", "\ufefflabel, text\n好评,物流很快\n\n中评,一般，还行\n"),
        ("a.tsv", "text\tlabel\n物流很快\t好评\n一般，还行\t中评\n"),
        ("a.txt", "text\tlabel\r\n物流很快\t好评\r\n一般，还行\t中评"),
        ("a.jsonl", '{"text": "物流很快", "label": "好评"}\n\n{"text": "一般，还行", "label": "中评", "id": 2}\n'),
        ("a.json", '[{"text": "物流很快", "label": "好评"}, {"text": "一般，还行", "label": "中评"}]'),
    ],
)
def test_every_form(tmp_path: Path, name: str, content: str) -> None:
    assert read(tmp_path, name, content) == (ROWS, [])


@pytest.mark.parametrize("encoding", ["gb18030", "utf-16"])
def test_what_spreadsheets_write_is_read_and_said(tmp_path: Path, encoding: str) -> None:
    rows, said = read(tmp_path, "a.csv", "text,label\n物流很快,好评\n一般，还行,中评\n".encode(encoding))
    assert rows == ROWS
    assert said == [f"a.csv is not UTF-8; it was read as {encoding.upper()}"]


def test_quotes_hold_line_ends_in_csv_and_are_characters_in_tsv(tmp_path: Path) -> None:
    assert read(tmp_path, "a.csv", 'text,label\n"两行\n""引号"", 逗号",好\n')[0] == [('两行\n"引号", 逗号', "好")]
    assert read(tmp_path, "a.tsv", 'text\tlabel\n"好\t好评\n')[0] == [('"好', "好评")]


def test_a_cell_that_is_missing_is_empty_and_numbers_are_labels(tmp_path: Path) -> None:
    assert read(tmp_path, "a.csv", "text,label\n好\n")[0] == [("好", "")]
    lines = '{"text": "好", "label": 1}\n{"text": "坏", "label": null}\n{"text": "坏"}\n'
    assert read(tmp_path, "a.jsonl", lines)[0] == [("好", "1"), ("坏", ""), ("坏", "")]


@pytest.mark.parametrize(
    ("name", "content", "cause"),
    [
        ("a.csv", "", "a.csv is empty"),
        ("a.csv", "\ufeff\n \n", "a.csv is empty"),
        ("a.csv", "text,label\n\n", "has a header line and no rows under it"),
        ("a.csv", "id,content\n1,好\n", "has no column 'text'; it has: id, content. Say which with --text-column"),
        ("a.csv", "id,text\n1,好\n", "has no column 'label'; it has: id, text. Say which with --label-column"),
        ("a.jsonl", '{"text": "好"}\n', "has no column 'label'; it has: text."),
        ("a.jsonl", '{"text": "好", "label": 1}\n{"text": \n', "line 2 of a.jsonl is not valid JSON"),
        ("a.jsonl", '"好"\n', "line 1 of a.jsonl is not an object"),
        ("a.jsonl", '{"text": ["好"], "label": 1}\n', "text in line 1 of a.jsonl is a list"),
        ("a.xlsx", b"PK\x03\x04", "save it as CSV"),
        ("a.csv", b"text,label\n\xff\xff\xff", "neither UTF-8 nor GB18030"),
    ],
)
def test_what_cannot_be_read_is_named(tmp_path: Path, name: str, content: str | bytes, cause: str) -> None:
    with pytest.raises(FinetuneRefused) as caught:
        read(tmp_path, name, content)
    assert cause in str(caught.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FinetuneRefused, match="cannot be read: No such file"):
        read_table(tmp_path / "none.csv", ("text", "label"), print)


def test_rows_that_do_not_fit_the_header_are_counted_and_refused(tmp_path: Path) -> None:
    content = "text,label\n好,正面\n一般,还行,中评\n差,很差,负面\n坏,负面,,\n"
    with pytest.raises(
        FinetuneRefused, match=r"2 of 4 rows of a\.csv do not fit its header \(row 2: the row has 3 cells"
    ):
        read(tmp_path, "a.csv", content)
    with pytest.raises(FinetuneRefused, match=r"a\.csv: the quote that opens a cell in line 3 is never closed"):
        read(tmp_path, "a.csv", 'text,label\n好,正面\n"差,负面\n坏,负面\n')


def test_a_workbook_and_a_title_row_are_read(tmp_path: Path) -> None:
    workbook = openpyxl.Workbook()
    for row in (["导出"], ["编号", "text", "label"], [1, "好", 5], [2, "坏", None]):
        workbook.active.append(row)
    workbook.save(tmp_path / "x")
    rows, said = read(tmp_path, "b.xlsx", (tmp_path / "x").read_bytes())
    assert rows == [("好", "5"), ("坏", "")]
    assert [line.rpartition(": ")[2] for line in said] == ["1 row above the header left out"]
