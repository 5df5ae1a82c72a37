"""Workbooks as different programs write them, and what is written back."""

import datetime as dt
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import xlsxwriter

from structbert_lite.tables.header import TableOptions
from structbert_lite.tables.source import Column, Window
from structbert_lite.tables.workbook import WorkbookSource
from structbert_lite.tables.workbook_sink import WorkbookSink

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"


def by_hand(path: Path, rows: str, properties: str = "", styles: str = "") -> Path:
    """A workbook of bare XML, as programs write it that have no library."""
    kinds = f"{PACKAGE.replace('package', 'package')}/content-types"
    worksheet = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{kinds}"><Default Extension="xml" ContentType="application/xml"/>'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{worksheet}.sheet.main+xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{PACKAGE}/relationships"><Relationship Id="r1" '
        f'Type="{OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{PACKAGE}/relationships"><Relationship Id="r1" '
        f'Type="{OFFICE}/worksheet" Target="/xl/worksheets/sheet1.xml"/><Relationship Id="r2" '
        f'Type="{OFFICE}/styles" Target="styles.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}"><workbookPr {properties}/><sheets>'
        '<sheet name="数据" sheetId="1" r:id="r1"/></sheets></workbook>',
        "xl/styles.xml": f'<styleSheet xmlns="{MAIN}">{styles}</styleSheet>',
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{MAIN}"><sheetData>{rows}</sheetData></worksheet>',
    }
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in parts.items():
            archive.writestr(name, text)
    return path


def text(value: str, place: str = "") -> str:
    return f'<c {place and f"r={chr(34)}{place}{chr(34)}"} t="inlineStr"><is><t>{value}</t></is></c>'


def read(path: Path, **options: Any) -> list[dict[str, str]]:
    source = WorkbookSource(path, TableOptions(**options))
    return [record.values for window in source.windows(100, 0) for record in window.records]


def made(path: Path, *rows: list[Any], formats: dict[str, str] | None = None) -> Path:
    workbook = openpyxl.Workbook()
    for row in rows:
        workbook.active.append(row)
    for place, shown in (formats or {}).items():
        workbook.active[place].number_format = shown
    workbook.save(path)
    return path


def test_every_minute_of_a_day_by_two_writers(tmp_path: Path) -> None:
    minutes = [dt.datetime(2024, 1, 15) + dt.timedelta(minutes=n) for n in range(1, 1440)]
    made(tmp_path / "a.xlsx", ["时间", "评论"], *([minute, "好"] for minute in minutes))
    with xlsxwriter.Workbook(tmp_path / "b.xlsx", {"default_date_format": "yyyy-mm-dd hh:mm"}) as workbook:
        sheet = workbook.add_worksheet()
        sheet.write_row(0, 0, ["时间", "评论"])
        for row, minute in enumerate(minutes, 1):
            sheet.write_datetime(row, 0, minute)
            sheet.write_string(row, 1, "好")
    for name in ("a.xlsx", "b.xlsx"):
        assert [row["时间"] for row in read(tmp_path / name)] == list(map(str, minutes))


@pytest.mark.parametrize("said", ["1", "true"])
@pytest.mark.parametrize("serial", ["43844", "43844.0"])
def test_days_since_1904(tmp_path: Path, said: str, serial: str) -> None:
    styles = '<cellXfs count="2"><xf numFmtId="0"/><xf numFmtId="14" applyNumberFormat="1"/></cellXfs>'
    rows = f'<row r="1">{text("日期", "A1")}</row><row r="2"><c r="A2" s="1"><v>{serial}</v></c></row>'
    path = by_hand(tmp_path / "a.xlsx", rows, f'date1904="{said}"', styles)
    assert read(path) == [{"日期": "2024-01-15"}]


@pytest.mark.parametrize(
    "shown",
    [
        *(
            "yyyymmdd",
            "yyyymm",
            "yyyy-mm-ddThh:mm:ss",
            'yyyy"年"m"月"d"日"',
            '[$-804]yyyy"年"m"月"d"日";@',
            "m/d/yy h:mm",
        ),
        *("yyyy年m月d日", "yyyymmddhhmmss", '上午/下午h"时"mm"分"', "mmm-yy", '[DBNum1][$-804]yyyy"年"m"月"d"日";@'),
    ],
)
def test_a_date_in_any_format_is_a_date(tmp_path: Path, shown: str) -> None:
    path = made(tmp_path / "a.xlsx", ["日期"], [45306.523], [45306], formats={"A2": shown, "A3": shown})
    assert [row["日期"] for row in read(path)] == ["2024-01-15 12:33:07", "2024-01-15"]


@pytest.mark.parametrize("shown", ["General", "0.00%", '0"年"', '#,##0"元"', '"第"0"天"', "¥#,##0.00", 'General"d"'])
def test_a_number_in_any_format_is_a_number(tmp_path: Path, shown: str) -> None:
    assert read(made(tmp_path / "a.xlsx", ["n"], [45306.523], formats={"A2": shown})) == [{"n": "45306.523"}]


def test_times_durations_and_iso_cells(tmp_path: Path) -> None:
    row = [dt.time(8, 30), dt.timedelta(hours=30, minutes=5), dt.time(9, 5)]
    assert read(made(tmp_path / "a.xlsx", ["时间", "时长", "开门"], row)) == [
        {"时间": "08:30:00", "时长": "30:05:00", "开门": "09:05:00"}
    ]
    workbook = openpyxl.Workbook(iso_dates=True)
    for value in (
        "日期",
        dt.datetime(2024, 1, 15),
        dt.datetime(2024, 1, 15, 23, 30),
        dt.date(2024, 1, 15),
        dt.time(8, 30),
    ):
        workbook.active.append([value])
    workbook.save(tmp_path / "b.xlsx")
    assert [row["日期"] for row in read(tmp_path / "b.xlsx")] == [
        *("2024-01-15", "2024-01-15 23:30:00", "2024-01-15", "08:30:00")
    ]


def test_numbers_are_as_they_are_stored(tmp_path: Path) -> None:
    stored = [
        "123456789012345678",
        "1.2345678901234567E+17",
        "12345678901234567890",
        "5",
        "5.0",
        "19.9",
        "-0.5",
        "0.1",
        "1E5",
    ]
    cells = "".join(f'<row r="{n}"><c r="A{n}"><v>{value}</v></c></row>' for n, value in enumerate(stored, 2))
    path = by_hand(tmp_path / "a.xlsx", f'<row r="1">{text("编号", "A1")}</row>{cells}')
    assert [row["编号"] for row in read(path)] == [
        *("123456789012345678", "123456789012345670", "12345678901234567890", "5", "5", "19.9", "-0.5", "0.1", "100000")
    ]


def test_cells_without_a_place_and_characters_by_number(tmp_path: Path) -> None:
    rows = f"<row>{text('评论')}{text('编号')}</row>"
    rows += f"<row>{text('&#x20BB7;野家&#134071;')}<c><v>123456789012345678</v></c></row>"
    assert read(by_hand(tmp_path / "a.xlsx", rows)) == [{"评论": "𠮷野家𠮷", "编号": "123456789012345678"}]


def test_errors_truth_values_line_ends_and_gaps(tmp_path: Path) -> None:
    path = made(tmp_path / "a.xlsx", ["评论", "x", "y"], ["#N/A", True, None], [None] * 3, ["一\n二", False, 1])
    assert read(path) == [{"评论": "#N/A", "x": "TRUE", "y": ""}, {"评论": "一\n二", "x": "FALSE", "y": "1"}]
    source = WorkbookSource(path, TableOptions())
    assert (source.total, source.left_out) == (2, 1)


def test_formulas_without_results_are_counted(tmp_path: Path) -> None:
    """As libraries write a text that begins with =; an empty text is a result."""
    some = made(tmp_path / "a.xlsx", ["评论", "x", "y"], ["=_太差", "=1+1", "二"], ["好", "一"])
    rows = f"<row>{text('评论')}{text('x')}</row>"
    rows += '<row><c t="str"><f>"好"</f><v>好</v></c><c t="str"><f>""</f><v></v></c></row>'
    rows += '<row><c><f t="shared" si="0"/></c><c><f>1+1</f><v>2</v></c></row>'
    one = by_hand(tmp_path / "b.xlsx", rows)
    assert read(some) == [{"评论": "", "x": "", "y": "二"}, {"评论": "好", "x": "一", "y": ""}]
    assert read(one) == [{"评论": "好", "x": ""}, {"评论": "", "x": "2"}]
    for path, told in ((some, "2 formulas have no results and are"), (one, "1 formula has no result and is")):
        cure = "open the file in Excel or WPS, save it and score it again"
        assert WorkbookSource(path, TableOptions()).notices == [f"{path}: {told} read as empty; {cure}"]


Build = Callable[[openpyxl.Workbook], None]


def hidden(workbook: openpyxl.Workbook) -> None:
    workbook.active.title = "字典"
    workbook.active.append(["选项", "内容"])
    workbook.active.append(["好", "坏"])
    workbook.active.sheet_state = "hidden"


def cover(workbook: openpyxl.Workbook) -> None:
    workbook.active.append(["请阅读本说明"])
    workbook.active.append(["1. 本表由系统导出"])


def chart(workbook: openpyxl.Workbook) -> None:
    workbook.create_chartsheet("图表", 0)
    workbook.remove(workbook["Sheet"])


def empty(_: openpyxl.Workbook) -> None:
    pass


@pytest.mark.parametrize("build", [hidden, cover, chart, empty])
def test_the_first_visible_sheet_with_a_table_is_read(tmp_path: Path, build: Build) -> None:
    workbook = openpyxl.Workbook()
    build(workbook)
    for title, word in (("评价", "很好用"), ("更多", "很差")):
        sheet = workbook.create_sheet(title)
        sheet.append(["编号", "评价"])
        sheet.append([1, word])
    workbook.save(tmp_path / "a.xlsx")
    assert read(tmp_path / "a.xlsx") == [{"编号": "1", "评价": "很好用"}]
    assert read(tmp_path / "a.xlsx", sheet="更多") == [{"编号": "1", "评价": "很差"}]
    (told,) = WorkbookSource(tmp_path / "a.xlsx", TableOptions()).notices
    assert "sheet 评价 was read; --sheet chooses another: " in told
    assert "更多" in told
    with pytest.raises(ValueError, match=r"a\.xlsx has no sheet 9; there are: .*评价, 更多"):
        read(tmp_path / "a.xlsx", sheet="9")


def test_a_hidden_sheet_can_be_named_and_wanted_columns_choose(tmp_path: Path) -> None:
    workbook = openpyxl.Workbook()
    hidden(workbook)
    for title, name in (("一", "评价"), ("二", "text")):
        workbook.create_sheet(title).append([name, "n"])
        workbook[title].append([title, 1])
    workbook.save(tmp_path / "a.xlsx")
    assert read(tmp_path / "a.xlsx", sheet="1") == [{"选项": "好", "内容": "坏"}]
    assert read(tmp_path / "a.xlsx", wanted=("text",)) == [{"text": "二", "n": "1"}]


def test_a_merged_title_and_two_header_rows(tmp_path: Path) -> None:
    workbook = openpyxl.Workbook()
    sheet = workbook.active
    for row in (
        ["2024年5月商品评价导出"],
        ["订单", None, "评价"],
        ["编号", "日期", "内容", "星级"],
        ["A1", "2024-05-01", "很好用", 5],
    ):
        sheet.append(row)
    for merged in ("A1:D1", "A2:B2", "C2:D2"):
        sheet.merge_cells(merged)
    workbook.save(tmp_path / "a.xlsx")
    assert read(tmp_path / "a.xlsx") == [{"编号": "A1", "日期": "2024-05-01", "内容": "很好用", "星级": "5"}]
    (row,) = read(tmp_path / "a.xlsx", header_row=2)[1:]
    assert list(row) == ["订单", "", "评价", ".1"]


@pytest.mark.parametrize(
    ("data", "cure"),
    [
        (b"<html><table><tr><td>a</table>", "It is a web page: open it in Excel or WPS"),
        (b"a\tb\n1\t2\n", "It seems to be text: name its --format"),
        (b"PK\x03\x04broken", "Open it in Excel or WPS and save it as"),
    ],
)
def test_what_is_no_workbook_is_said_with_a_cure(tmp_path: Path, data: bytes, cure: str) -> None:
    (tmp_path / "a.xls").write_bytes(data)
    with pytest.raises(ValueError, match=r"a\.xls cannot be read as a workbook: ") as caught:
        read(tmp_path / "a.xls")
    assert cure in str(caught.value)
    assert read(made(tmp_path / "b.xlsx", ["评论"], ["好"]).rename(tmp_path / "b.xls")) == [{"评论": "好"}]


def test_what_is_read_is_written_as_it_was(tmp_path: Path) -> None:
    row = [
        "A",
        5,
        1.5,
        True,
        dt.datetime(2024, 1, 15, 9, 5),
        dt.datetime(2024, 1, 15),
        dt.timedelta(hours=30),
        "0012",
        None,
    ]
    source = WorkbookSource(made(tmp_path / "a.xlsx", list("abcdefghi"), row, [*row[:8], 1]), TableOptions())
    (window,) = source.windows(10, 0)
    results = [("好", 0.25, None, ""), (None, None, True, "x" * 40_000)]
    columns = [Column("label", "text"), Column("score", "float"), Column("t", "bool"), Column("error", "text")]
    sink = WorkbookSink(source.columns, columns, source.total)
    for name in ("part", "again"):
        (tmp_path / name).write_bytes(sink.head() + sink.rows(window, results))
    paths = [sink.finish(str(tmp_path / name)) for name in ("part", "again")]
    assert Path(paths[0]).read_bytes() == Path(paths[1]).read_bytes()
    header, first, second = openpyxl.load_workbook(paths[0]).active.iter_rows(values_only=True)
    assert header == (*"abcdefghi", "label", "score", "t", "error")
    assert first == (*row, "好", 0.25, None, None)
    assert second == (*row[:8], 1, None, None, True, "x" * 32_767)
    assert sink.notices[0].startswith("1 cells were cut to 32767 characters")


def test_text_is_written_as_text(tmp_path: Path) -> None:
    words = ["=1+1", "http://a.b", "123456789012345678", "0012", "1e5", "\ud800", "a\x01b", "一\n二", "2024-01-15"]
    sink = WorkbookSink([Column("a", "text")], [], None)
    from structbert_lite.tables.source import Record

    window = Window([Record({"a": word}) for word in words])
    (tmp_path / "part").write_bytes(sink.head() + sink.rows(window, [()] * len(words)))
    found = [row["a"] for row in read(Path(sink.finish(str(tmp_path / "part"))))]
    assert found == [*words[:5], "\\ud800", *words[6:]]


def test_more_than_a_sheet_holds_is_refused_before_it_is_scored() -> None:
    with pytest.raises(ValueError, match="a sheet has 1048576 rows and 16384 columns at the most; write CSV"):
        WorkbookSink([Column("a", "text")], [], 1_048_576)
