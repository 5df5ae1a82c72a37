"""Rows that cannot be scored, and what everyday files look like."""

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import Result

from tests.tiny_models import VOCABULARY, make_cross, vocabulary

Score = Callable[..., Result]


def table(path: Path, encoding: str = "utf-8") -> list[list[str]]:
    return list(csv.reader(io.StringIO(path.read_bytes().decode(encoding), newline="")))


def test_a_bad_row_says_why_and_stops_nothing(score: Score, tmp_path: Path) -> None:
    lines = [
        {"text": "好", "n": 1},
        {"text": ""},
        {"text": None},
        {"n": 2},
        {"text": 7},
        {"text": " \u200b"},
        {"text": "\ud800"},
        ["x"],
        {"text": "坏", "n": [1, {"a": "b"}]},
    ]
    data = "".join(json.dumps(line) + "\n" for line in lines) + "\n{broken\n"
    done = score("sentiment", data, source="in.jsonl", out="out.jsonl")
    assert done.exit_code == 3, done.output
    assert "11 rows in: 2 scored, 4 blank, 4 wrong, 1 left out" in done.output
    rows = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [row["error"] for row in rows] == [
        *[None] * 4,
        "text is not text but int",
        None,
        "text has bytes that are no text in this encoding",
        "line 8 is not a JSON object",
        None,
        "line 11 is not JSON: Expecting property name enclosed in double quotes: line 1 column 2 (char 1)",
    ]
    assert [row["label"] is None for row in rows] == [row["error"] is not None for row in rows]
    assert [place for place, row in enumerate(rows) if row["label"] == "blank"] == [1, 2, 3, 5]
    assert rows[1]["score"] is rows[1]["truncated"] is None
    assert {name: rows[8][name] for name in ("text", "n")} == lines[8]
    assert rows[6]["text"] == "\ud800"


def test_csv_with_quoted_line_ends_empty_cells_and_rows_of_another_width(score: Score, tmp_path: Path) -> None:
    done = score("sentiment", 'id,text,id\r\n1,"一,\r\n""二""",x\r\n2,,\r\n\r\n3,好\r\n4,好,y,z\r\n')
    assert done.exit_code == 3, done.output
    header, *rows = table(tmp_path / "out.csv")
    assert header[:3] == ["id", "text", "id.1"]
    assert [row[:3] for row in rows] == [["1", '一,\r\n"二"', "x"], ["2", "", ""], ["3", "好", ""], ["4", "好", "y"]]
    assert [row[-1] for row in rows] == ["", "", "", "the row has 4 cells, the header has 3; too many: z"]
    assert [row[3] for row in rows] == [rows[0][3], "blank", rows[2][3], ""]
    assert "5 rows in: 2 scored, 1 blank, 1 wrong, 1 left out" in done.output
    assert "1 row has fewer cells than the header (the first: line 6)" in done.output


def test_an_empty_line_is_a_row_where_a_row_is_one_cell(score: Score, tmp_path: Path) -> None:
    assert score("sentiment", "text\n好\n\n坏\n").exit_code == 0
    assert [row[0] for row in table(tmp_path / "out.csv")[1:]] == ["好", "", "坏"]
    assert table(tmp_path / "out.csv")[2][1] == "blank"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_the_encoding_is_found_and_kept(score: Score, tmp_path: Path, encoding: str) -> None:
    text = "编号,文本\n1,这部电影太烂了𠮷\n2,€很好\n" + "".join(f"{i},好\n" for i in range(3, 50))
    done = score("sentiment", text.encode(encoding), "--column", "文本")
    assert done.exit_code == 0, done.output
    written = encoding if encoding != "utf-16" else "utf-8"
    rows = table(tmp_path / "out.csv", written)
    assert [row[:2] for row in rows[:3]] == [["编号", "文本"], ["1", "这部电影太烂了𠮷"], ["2", "€很好"]]
    assert (tmp_path / "out.csv").read_bytes().startswith(b"\xef\xbb\xbf") == (encoding == "utf-8-sig")


def test_a_file_with_bad_bytes_needs_an_encoding_and_then_loses_none_of_them(score: Score, tmp_path: Path) -> None:
    data = "text,note\n好,1\n".encode() + b"\xff\xfe\xff,2\n" + "坏,".encode() + b"\xff\n"
    done = score("sentiment", data)
    assert done.exit_code == 1
    assert "neither UTF-8 nor GB18030" in done.output
    assert score("sentiment", data, "--encoding", "utf-8").exit_code == 3
    lines = (tmp_path / "out.csv").read_bytes().splitlines()
    assert lines[2].startswith(b"\xff\xfe\xff,2,")
    assert lines[2].endswith(b"text has bytes that are no text in this encoding")
    assert lines[3].startswith("坏,".encode() + b"\xff,")
    assert lines[3].endswith(b"false,")


def test_quotes_in_tsv_are_ordinary_unless_it_is_said(score: Score, tmp_path: Path) -> None:
    data = 'text\tnote\n"好\t"x\n"一个\n'
    assert score("sentiment", data, source="in.tsv", out="out.tsv").exit_code == 0
    lines = [line.split("\t") for line in (tmp_path / "out.tsv").read_text(encoding="utf-8").splitlines()]
    assert [line[:2] for line in lines] == [["text", "note"], ['"好', '"x'], ['"一个', ""]]
    data = 'text\tnote\n"好\t\n坏"\t"a ""b"""\n'
    assert score("sentiment", data, "--quoted", "--restart", source="in.tsv", out="out.csv").exit_code == 0
    assert table(tmp_path / "out.csv")[1][:2] == ["好\t\n坏", 'a "b"']
    data = 'text\n"好\t\n坏"\n'
    assert score("sentiment", data, "--restart", out="out.tsv").exit_code == 0
    assert (tmp_path / "out.tsv").read_text(encoding="utf-8").splitlines()[1].startswith("好  坏\t")


def test_a_quote_that_is_never_closed_stops_with_a_sentence(score: Score, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("structbert_lite.tables.delimited.MAX_CELL", 1000)
    done = score("sentiment", 'text\n好\n"坏\n' + "好\n" * 1000)
    assert done.exit_code == 1
    assert "cannot be read beyond line" in done.output
    assert "Is a quote not closed?" in done.output


def test_an_empty_file_and_a_file_without_rows(score: Score, tmp_path: Path) -> None:
    assert "it has no header line" in score("sentiment", "").output
    assert score("sentiment", "text\n").exit_code == 0
    assert len(table(tmp_path / "out.csv")) == 1
    assert "has no line with a JSON object" in score("sentiment", "[1]\n", source="in.jsonl").output


def test_numbers_that_are_no_json_are_the_rows_fault(score: Score, tmp_path: Path) -> None:
    data = "".join(f'{{"text": "好", "n": {number}}}\n' for number in ("NaN", "1e400", "[-Infinity]", "1e300"))
    done = score("sentiment", data, source="in.jsonl", out="out.jsonl")
    assert done.exit_code == 3
    lines = (tmp_path / "out.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line, parse_constant=pytest.fail) for line in lines]
    assert [row["error"] for row in rows] == [
        "line 1 is not JSON: NaN is no number of JSON",
        None,
        "line 3 is not JSON: -Infinity is no number of JSON",
        None,
    ]
    assert (rows[1]["n"], rows[3]["n"]) == (None, 1e300)
    assert "null in place of 1 number" in done.output


def test_labels_are_read_in_the_encoding_that_they_have(score: Score, tmp_path: Path) -> None:
    (tmp_path / "labels.txt").write_bytes("咨询\r\n投诉\r\n".encode("gbk"))
    done = score("zero-shot", "text\n物流太慢\n", "--labels-file", str(tmp_path / "labels.txt"))
    assert done.exit_code == 0, done.output
    assert {"score_咨询", "score_投诉"} < set(table(tmp_path / "out.csv")[0])
    (tmp_path / "labels.txt").write_bytes(b"\xff\xff\n")
    done = score("zero-shot", "text\n物流太慢\n", "--labels-file", str(tmp_path / "labels.txt"), "--restart")
    assert done.exit_code == 1
    assert "labels.txt is neither UTF-8 nor GB18030 text; save it as UTF-8" in done.output


def test_json_lines_become_a_table_with_every_field(score: Score, tmp_path: Path) -> None:
    data = '{"text": "好"}\n{"text": "坏", "n": 1.5, "tags": ["a", "二"], "ok": true}\n'
    assert score("sentiment", data, source="in.jsonl").exit_code == 0
    header, first, second = table(tmp_path / "out.csv")
    assert header[:4] == ["text", "n", "tags", "ok"]
    assert first[:4] == ["好", "", "", ""]
    assert second[:4] == ["坏", "1.5", '["a", "二"]', "true"]


def test_only_the_row_on_which_the_model_fails_has_its_error(score: Score, tmp_path: Path) -> None:
    values = np.zeros((VOCABULARY, 2), np.float32)
    values[vocabulary()["毒"]] = np.nan
    make_cross(tmp_path / "poisoned", "sentiment", values, kind="classifier", labels=("Negative", "Positive"))
    rows = "".join(f"好{i}\n" if i != 37 else "有毒\n" for i in range(100))
    assert score("sentiment", f"text\n{rows}", "--model", str(tmp_path / "poisoned")).exit_code == 3
    errors = [row[-1] for row in table(tmp_path / "out.csv")[1:]]
    assert errors[37] == "the model failed on this input: its output is not finite"
    assert [i for i, error in enumerate(errors) if error] == [37]
