"""A small table whole: what evaluate, the exporter and training read."""

from pathlib import Path

import pytest

from structbert_lite.tables.table import read_table


def write(folder: Path, text: str, encoding: str = "utf-8") -> Path:
    (folder / "a").write_bytes(text.encode(encoding))
    return folder / "a"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030"])
def test_blank_lines_are_no_rows_and_quotes_hold_line_ends(tmp_path: Path, encoding: str) -> None:
    path = write(tmp_path, '\r\ntext,label\r\n"一,\r\n""二""",1\r\n\r\n , \r\n好,0\r\n', encoding)
    table = read_table(path, form="csv")
    assert table.columns == ["text", "label"]
    assert [record.values for record in table.records] == [
        {"text": '一,\r\n"二"', "label": "1"},
        {"text": "好", "label": "0"},
    ]
    assert table.encoding == encoding


def test_quotes_are_characters_unless_it_is_said(tmp_path: Path) -> None:
    table = read_table(write(tmp_path, 'text\tlabel\r\n"好\t1'), form="tsv")
    assert [record.values for record in table.records] == [{"text": '"好', "label": "1"}]


def test_missing_cells_are_empty_and_cells_without_a_name_are_a_fault(tmp_path: Path) -> None:
    short, long, wide = read_table(write(tmp_path, "a\tb\n1\n1\t2\t3\n1\t2\t \n"), form="tsv").records
    assert short.values == {"a": "1"}
    assert long.values == wide.values == {"a": "1", "b": "2"}
    assert [r.fault for r in (short, long, wide)] == ["", "the row has 3 cells, the header has 2; too many: 3", ""]


def test_an_empty_file_has_no_columns(tmp_path: Path) -> None:
    assert read_table(write(tmp_path, "\n \n"), form="tsv")[:2] == ([], [])
