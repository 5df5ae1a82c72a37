"""Files as people have them, through the command: the right rows and words, and nothing lost without a count."""

import bz2
import csv
import gzip
import io
import json
import lzma
import re
import uuid
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest
from click.testing import CliRunner, Result

from structbert_lite.bulk.command import command

Score = Callable[..., Result]


def rows(path: Path, encoding: str = "utf-8") -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_bytes().decode(encoding), newline="")))


def adds_up(done: Result) -> dict[str, int]:
    """The counts of the last line, whose first is the sum of the others."""
    found = re.search(r"(\d+) rows in: (\d+) scored, (\d+) blank, (\d+) wrong, (\d+) left out", done.output)
    assert found, done.output
    total, *parts = map(int, found.groups())
    assert total == sum(parts)
    return dict(zip(("scored", "blank", "wrong", "left out"), parts, strict=True))


def test_blank_and_default_reviews_are_classes_of_their_own(score: Score, tmp_path: Path) -> None:
    done = score("sentiment", "id,text\n1,很好\n2,\n3,此用户没有填写评价。\n\n4,系统默认好评!\n5,\u3000\n")
    assert done.exit_code == 0, done.output
    found = rows(tmp_path / "out.csv")
    assert [row["label"] for row in found][1:] == ["blank", "default", "default", "blank"]
    assert [(row["score"], row["neutral"], row["truncated"], row["error"]) for row in found[1:]] == [("",) * 4] * 4
    assert adds_up(done) == {"scored": 1, "blank": 4, "wrong": 0, "left out": 1}


def test_other_tasks_have_no_such_classes(score: Score, tmp_path: Path) -> None:
    done = score("embedding", "text\n此用户没有填写评价\n\n")
    assert done.exit_code == 3
    assert [row["error"] for row in rows(tmp_path / "out.csv")] == ["", "text is empty"]
    assert adds_up(done) == {"scored": 1, "blank": 1, "wrong": 0, "left out": 0}


def test_an_unclosed_quote_stops_with_its_line(score: Score, tmp_path: Path) -> None:
    lines = "".join(f"{n},东西不错{n},5\r\n" for n in range(3, 40))
    done = score("sentiment", f'id,text,star\r\n1,很好用,5\r\n2,"物流慢,1\r\n{lines}')
    assert done.exit_code == 1
    assert "in.csv: the quote that opens a cell in line 3 is never closed. Remove it, or double it" in done.output
    done = score("sentiment", f'id,text,star\r\n1,"一\r\n二",5\r\n2,"两\r\n行","慢,1\r\n{lines}')
    assert "the quote that opens a cell in line 5 is never closed" in done.output
    assert "the quote that opens a cell in line 2 is never closed" in score("sentiment", 'text\n"好').output
    assert [path.name for path in tmp_path.iterdir()] == ["in.csv"]


def test_a_second_stray_quote_does_not_hide_the_first(score: Score) -> None:
    lines = "".join(f"{n},东西很差{n},1\n" for n in range(3, 20))
    done = score("sentiment", f'id,text,star\n1,很好用,5\n2,"物流慢,1\n{lines}20,"好用,5\n21,不错,5\n')
    assert done.exit_code == 1
    assert "a cell in quotes begins in line 3 and goes on to line 21, where a quote stands in its middle" in done.output


def test_rows_within_a_well_formed_cell_are_told(score: Score, tmp_path: Path) -> None:
    done = score("sentiment", 'id,text,star\n1,"物流慢,1\n2,差,1\n3,好,5\n4,很好",5\n5,不错,5\n')
    assert done.exit_code == 0
    assert "2 lines that look like rows stand within a quoted cell that begins in line 2" in done.output
    assert rows(tmp_path / "out.csv")[0]["text"] == "物流慢,1\n2,差,1\n3,好,5\n4,很好"
    done = score("sentiment", 'id,text,star\n1,"第一,\n第二\n第三\n第四",5\n', "--restart")
    assert "look like rows" not in done.output


def test_a_quote_within_a_line_is_read_as_excel_reads_it_and_told(score: Score, tmp_path: Path) -> None:
    done = score("sentiment", 'id,text\n1,"好用"真的\n2,他说"好"\n3,"一,""二"""\n')
    assert [row["text"] for row in rows(tmp_path / "out.csv")] == ["好用真的", '他说"好"', '一,"二"']
    assert "1 row has a quote in the middle of a quoted cell (the first: line 2)" in done.output


def test_missing_cells_are_empty_and_empty_surplus_is_ignored(score: Score, tmp_path: Path) -> None:
    done = score(
        "sentiment",
        "id,text,star,reply,,\r\n1,很好用,5\r\n2,很差,1,抱歉,,\r\n3,一般\r\n4\r\n,,,,,,,\r\n5,好,1,谢谢,,,x\r\n",
    )
    found = rows(tmp_path / "out.csv")
    assert list(found[0])[:5] == ["id", "text", "star", "reply", "label"]
    assert [row["text"] for row in found] == ["很好用", "很差", "一般", "", "", "好"]
    assert [row["error"] for row in found] == ["", "", "", "", "", "the row has 7 cells, the header has 4; too many: x"]
    assert adds_up(done) == {"scored": 3, "blank": 2, "wrong": 1, "left out": 0}
    assert "3 rows have fewer cells than the header (the first: line 2)" in done.output
    assert "1 row has more cells than the header (the first: line 7); it is marked in `error`" in done.output


def test_a_column_without_a_name_is_kept_where_it_has_something(score: Score, tmp_path: Path) -> None:
    assert score("sentiment", ",text,\n0,好,\n1,坏,注\n").exit_code == 0
    assert (tmp_path / "out.csv").read_text(encoding="utf-8").splitlines()[2].startswith("1,坏,注,")


@pytest.mark.parametrize(
    "data",
    [
        "编号,评论\n1,物流很快\n2,太差了\n",
        "sep=,\r\n编号,评论\r\n1,物流很快\r\n2,太差了\r\n",
        "sep=;\r\n编号;评论\r\n1;物流很快\r\n2;太差了\r\n",
        "\r\n\r\n编号,评论\r\n1,物流很快\r\n\r\n2,太差了\r\n",
        "编号;评论\n1;物流很快\n2;太差了\n",
        "编号\t评论\n1\t物流很快\n2\t太差了\n",
        '"编号","评论"\r"1","物流很快"\r"2","太差了"\r',
        '"编号","评论"\r"1","物流很快"\n"2","太差了"\r\n',
        "2024年5月商品评价导出,\r\n编号,评论\r\n1,物流很快\r\n2,太差了\r\n",
        "商品评价导出\n\n编号,评论\n1,物流很快\n2,太差了\n",
        " 编号, 评论 \n1,物流很快\n2,太差了\n",
    ],
)
def test_a_csv_file_as_programs_write_it(score: Score, tmp_path: Path, data: str) -> None:
    done = score("sentiment", data, "--column", "评论")
    assert done.exit_code == 0, done.output
    found = [{name.strip(): value for name, value in row.items()} for row in rows(tmp_path / "out.csv")]
    assert [(row["编号"], row["评论"]) for row in found] == [("1", "物流很快"), ("2", "太差了")]
    without = score("sentiment", data, "--restart")
    assert without.exit_code == 0, without.output
    assert re.search(r"Note: the texts are read from the column  ?评论", without.output)


def test_semicolons_in_a_name_are_no_delimiter_and_a_delimiter_can_be_named(score: Score, tmp_path: Path) -> None:
    assert score("sentiment", '"1;2;3;4",评论\n5,物流很快\n6,太差了\n', "--column", "评论").exit_code == 0
    assert [row["1;2;3;4"] for row in rows(tmp_path / "out.csv")] == ["5", "6"]
    for name, delimiter in (("tab", "\t"), ("^", "^")):
        data = f"id{delimiter}text\n1{delimiter}好,很好\n"
        assert score("sentiment", data, "--delimiter", name, "--restart").exit_code == 0
        assert rows(tmp_path / "out.csv")[0]["text"] == "好,很好"
    assert "--delimiter is one character, or tab, not 'ab'" in score("sentiment", "text\n", "--delimiter", "ab").output


def test_a_header_row_can_be_named(score: Score, tmp_path: Path) -> None:
    data = "导出,时间\nid,text\nA,B\n1,好\n"
    assert score("sentiment", data, "--header-row", "2").exit_code == 0
    assert [row["text"] for row in rows(tmp_path / "out.csv")] == ["B", "好"]
    assert score("sentiment", data, "--header-row", "3", "--column", "B", "--restart").exit_code == 0
    assert [row["B"] for row in rows(tmp_path / "out.csv")] == ["好"]
    assert (
        "row 9 is empty, it cannot be the header row"
        in score("sentiment", data, "--header-row", "9", "--restart").output
    )


def test_big5_is_told_from_gb18030(score: Score, tmp_path: Path) -> None:
    text = "編號,text\r\n1,這雙鞋真的很舒服，品質不錯\r\n2,客服態度很差，不推薦\r\n"
    done = score("sentiment", text.encode("big5"))
    assert done.exit_code == 0, done.output
    assert [row["text"] for row in rows(tmp_path / "out.csv")] == ["這雙鞋真的很舒服，品質不錯", "客服態度很差，不推薦"]
    assert "in.csv was read as Big5, 99% sure" in done.output
    assert "in.csv is Big5, the output is UTF-8; --out-encoding cp950 keeps Big5" in done.output
    done = score("sentiment", text.encode("big5"), "--out-encoding", "cp950", "--encoding", "auto", "--restart")
    assert rows(tmp_path / "out.csv", "big5")[0]["編號"] == "1"
    assert "the output is UTF-8" not in done.output
    done = score("sentiment", text.encode("big5"), "--encoding", "big5", "--restart")
    assert "in.csv is BIG5, the output is UTF-8; --out-encoding big5 keeps BIG5" in done.output
    assert "sure" not in done.output


def test_gbk_by_name_stays_gbk_and_a_poor_guess_is_told(score: Score, tmp_path: Path) -> None:
    done = score("sentiment", "text\n很好\n".encode("gbk"), "--encoding", "gbk")
    assert rows(tmp_path / "out.csv", "gb18030")[0]["text"] == "很好"
    assert "UTF-8" not in done.output
    done = score("sentiment", "text\nとても良い\n".encode("shift_jis"), "--restart")
    assert re.search("% sure: look at the output, and name the right --encoding if it is none", done.output)


def test_excels_unicode_text(score: Score, tmp_path: Path) -> None:
    data = 'id\ttext\tstar\r\n1\t很好用\t5\r\n2\t"很差，\n不要""买"\t1\r\n'
    for encoding in ("utf-16", "gb18030", "utf-8"):
        done = score("sentiment", data.encode(encoding), "--restart", source="in.txt")
        assert done.exit_code == 0, done.output
        assert [row["text"] for row in rows(tmp_path / "out.csv", "gb18030" if encoding == "gb18030" else "utf-8")] == [
            *("很好用", '很差，\n不要"买')
        ]
    assert score("sentiment", 'text\tstar\n"好\t5\n坏\t1\n', source="in.txt", out="out.txt").exit_code == 0
    lines = (tmp_path / "out.txt").read_text(encoding="utf-8").splitlines()
    assert [line.split("\t")[0] for line in lines] == ["text", '"""好"', "坏"]


def test_tsv_keeps_every_character_but_tabs_and_line_ends(score: Score, tmp_path: Path) -> None:
    word = "好\u2028的\x0b很\x85好\x1c吧"
    assert score("sentiment", json.dumps({"text": f"{word}\r\n\t!"}), source="in.jsonl", out="out.tsv").exit_code == 0
    assert (tmp_path / "out.tsv").read_bytes().decode().split("\n")[1].split("\t")[0] == f"{word}  !"
    assert score("sentiment", f"text\n{word}\n", source="in.tsv", out="out.jsonl").exit_code == 0
    assert json.loads((tmp_path / "out.jsonl").read_text(encoding="utf-8"))["text"] == word


def test_labels_may_stand_between_any_commas(score: Score, tmp_path: Path) -> None:
    for number, labels in enumerate(("咨询、投诉、建议", "咨询,投诉，建议", "咨询; 投诉；建议,")):
        assert (
            score("zero-shot", "text\n物流太慢\n", "--labels", labels, "--restart", out=f"{number}.csv").exit_code == 0
        )
        names = list(rows(tmp_path / f"{number}.csv")[0])
        assert [name for name in names if name.startswith("score_")] == ["score_咨询", "score_投诉", "score_建议"]
    for labels in ("", " ", "，"):
        done = score("zero-shot", "text\n物流太慢\n", "--labels", labels)
        assert (done.exit_code, done.output) == (1, "Error: --labels holds no label\n")
    (tmp_path / "labels.txt").write_bytes("諮詢\n投訴\n建議\n".encode("big5"))
    done = score("zero-shot", "text\n物流太慢\n", "--labels-file", str(tmp_path / "labels.txt"))
    assert "score_投訴" in rows(tmp_path / "out.csv")[0]


def test_a_name_that_stands_twice_in_an_object_loses_no_value(score: Score, tmp_path: Path) -> None:
    data = '{"text": "甲", "id": 1, "id": 2, "text": "乙"}\n\u3000\n{"text": "好", "id": 12345678901234567890123}\n'
    done = score("sentiment", data, source="in.jsonl", out="out.jsonl")
    first, second = map(json.loads, (tmp_path / "out.jsonl").read_text(encoding="utf-8").splitlines())
    assert [first[name] for name in ("text", "text.1", "id", "id.1")] == ["甲", "乙", 1, 2]
    assert second["id"] == 12345678901234567890123
    assert adds_up(done) == {"scored": 2, "blank": 0, "wrong": 0, "left out": 1}


def test_a_workbook_in_and_out(score: Score, tmp_path: Path) -> None:
    workbook = openpyxl.Workbook()
    for row in (
        ["商品评价导出"],
        ["订单号", "评价内容", "商家回复", "星级"],
        ["0012", "很好用", "感谢您的支持", 5],
        [None] * 4,
    ):
        workbook.active.append(row)
    workbook.active.append([123456789012345, "此用户没有填写评价", "感谢您的支持", 5])
    workbook.active.append(["A", 666, None, 1.5])
    workbook.active.append(["B", "#N/A", "=_谢谢", 4])  # an error is no review, a formula without a result is told
    workbook.save(tmp_path / "x")
    done = score("sentiment", (tmp_path / "x").read_bytes(), source="in.xlsx", out="out.xlsx")
    assert done.exit_code == 0, done.output
    assert "Note: the texts are read from the column 评价内容" in done.output
    assert "1 row above the header left out" in done.output
    assert "1 formula has no result and is read as empty" in done.output
    assert adds_up(done) == {"scored": 2, "blank": 2, "wrong": 0, "left out": 1}
    header, *found = openpyxl.load_workbook(tmp_path / "out.xlsx").active.iter_rows(values_only=True)
    assert header[:5] == ("订单号", "评价内容", "商家回复", "星级", "label")
    assert [row[:4] for row in found] == [
        ("0012", "很好用", "感谢您的支持", 5),
        (123456789012345, "此用户没有填写评价", "感谢您的支持", 5),
        ("A", 666, None, 1.5),
        ("B", "#N/A", None, 4),
    ]
    assert isinstance(found[0][5], float)
    assert [row[4] for row in found][1::2] == ["default", "blank"]
    assert score("sentiment", (tmp_path / "x").read_bytes(), source="in.xlsx", out="out.jsonl").exit_code == 0
    assert json.loads((tmp_path / "out.jsonl").read_text(encoding="utf-8").splitlines()[2])["星级"] == "1.5"


def test_a_workbook_is_no_stream() -> None:
    for options in (["-", "--format", "xlsx", "-o", "out.csv"], ["in.csv", "-o", "-", "--out-format", "xlsx"]):
        done = CliRunner().invoke(command, [*options, "--task", "sentiment"])
        assert re.search("XLSX can only be (read from|written to) a file", done.output)


def test_kinds_of_one_json_column_are_one_text_column_of_parquet(score: Score, tmp_path: Path) -> None:
    pq = pytest.importorskip("pyarrow.parquet")
    data = "".join(json.dumps({"text": "好", "v": value}) + "\n" for value in ("a", 1, 1.5, True, None, ["b"], "1"))
    assert score("sentiment", data, source="in.jsonl", out="out.parquet").exit_code == 0
    assert pq.read_table(tmp_path / "out.parquet")["v"].to_pylist() == ["a", "1", "1.5", "true", None, '["b"]', "1"]


def test_uuids_and_bytes_of_parquet_are_text(score: Score, tmp_path: Path) -> None:
    pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    number = uuid.UUID(int=7)
    columns = {
        "text": pa.array(["很好".encode(), "很差".encode()]),
        "b": pa.array([b"\xff\x00", b"ab"]),
        "u": pa.array([number.bytes, None], pa.uuid()),
        "s": pa.array([{"x": b"ab"}, None]),
    }
    pq.write_table(pa.table(columns), tmp_path / "x")
    data = (tmp_path / "x").read_bytes()
    assert score("sentiment", data, source="in.parquet").exit_code == 0
    first, second = rows(tmp_path / "out.csv")
    assert [first[name] for name in "bus"] == ["ff00", str(number), '{"x": "ab"}']
    assert [second[name] for name in ("text", "b", "u")] == ["很差", "ab", ""]
    assert score("sentiment", data, source="in.parquet", out="out.parquet").exit_code == 0
    assert (
        pq.read_table(tmp_path / "out.parquet")
        .select(["text", "b", "u"])
        .equals(pa.table(columns).select(["text", "b", "u"]))
    )


def test_dictionaries_at_any_depth_and_two_columns_of_one_name(score: Score, tmp_path: Path) -> None:
    pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    words = pa.dictionary(pa.int32(), pa.string())
    arrays = [
        pa.array(["好", "坏"]),
        pa.array([{"x": "a"}, {"x": "b"}], pa.struct([("x", words)])),
        pa.array([["a"], None], pa.list_(words)),
        pa.array([1, 2]),
        pa.array([3, 4]),
    ]
    pq.write_table(pa.Table.from_arrays(arrays, ["text", "s", "l", "a", "a"]), tmp_path / "x")
    data = (tmp_path / "x").read_bytes()
    assert score("sentiment", data, source="in.parquet", out="out.parquet").exit_code == 0
    table = pq.read_table(tmp_path / "out.parquet")
    assert table.column_names[:5] == ["text", "s", "l", "a", "a.1"]
    assert [table[name].to_pylist() for name in ("s", "l", "a", "a.1")] == [
        [{"x": "a"}, {"x": "b"}],
        [["a"], None],
        [1, 2],
        [3, 4],
    ]
    assert score("sentiment", data, source="in.parquet").exit_code == 0
    assert [(row["a"], row["a.1"]) for row in rows(tmp_path / "out.csv")] == [("1", "3"), ("2", "4")]


def test_a_lone_carriage_return_in_a_cell_ends_no_row(score: Score, tmp_path: Path) -> None:
    score("sentiment", '{"id": "1", "text": "很好\\r用"}\n{"id": "2\\r", "text": "差"}\n', source="in.jsonl")
    with (tmp_path / "out.csv").open(encoding="utf-8", newline="") as file:
        assert [(row["id"], row["text"]) for row in csv.DictReader(file)] == [("1", "很好\r用"), ("2\r", "差")]
    done = score("sentiment", (tmp_path / "out.csv").read_bytes(), "--restart", "--prefix", "new_", out="again.csv")
    assert "2 rows in: 2 scored" in done.stderr


def test_quotes_in_tsv_are_told(score: Score) -> None:
    data = 'id\ttext\n1\t"很好，""用"\n2\t差\n'
    done = score("sentiment", data, source="in.tsv")
    assert "1 row has a cell that begins with a quote (the first: line 2)" in done.stderr
    assert "--quoted reads quotes as CSV has them" in done.stderr
    assert "begins with a quote" not in score("sentiment", data, "--quoted", "--restart", source="in.tsv").stderr


def test_a_file_whose_name_says_something_else_is_refused_with_what_to_do(score: Score, tmp_path: Path) -> None:
    openpyxl.Workbook().save(tmp_path / "made.xlsx")
    assert "is no text but a workbook" in score("sentiment", (tmp_path / "made.xlsx").read_bytes()).stderr
    assert "There is nothing in it" in score("sentiment", b"", source="in.xlsx").stderr
    assert "name its --format" in score("sentiment", "text\n好\n", source="in.xlsx").stderr


def test_compressed_files_are_told_to_be_unpacked(score: Score, tmp_path: Path) -> None:
    data = "text\n好\n".encode()
    for packed in (gzip.compress(data), bz2.compress(data), lzma.compress(data)):
        assert "is no text but a compressed file; unpack it first" in score("sentiment", packed).stderr
    for name in ("in.csv.gz", "in.jsonl.zip", "in.ZST"):
        assert (
            "the ending is that of a compressed file; unpack it first" in score("sentiment", data, source=name).stderr
        )
    done = score("sentiment", data, out="out.csv.gz")
    assert "the ending is that of a compressed file; write it without, and compress it then" in done.stderr
    assert not list(tmp_path.glob("out*"))
