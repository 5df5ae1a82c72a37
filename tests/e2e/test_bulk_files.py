"""What people bring to the page for whole files, and what they correct of what it makes of it."""

import io

import openpyxl
import pytest

from tests.e2e.test_bulk import csv_of, done, download, put, score, start, wait_for
from tests.e2e.test_bulk import page as page  # noqa: PLC0414 - the fixture

HEADER = ["订单编号", "日期", "商品名称", "评价内容", "商家回复"]
REPLY = "非常抱歉给您带来不便，请联系在线客服为您处理，祝您生活愉快！"
ID = 290011223344556677


def workbook(*sheets: tuple[str, str, list[list]]) -> bytes:
    book, file = openpyxl.Workbook(), io.BytesIO()
    book.remove(book.active)
    for name, state, rows in sheets:
        sheet = book.create_sheet(name)
        sheet.sheet_state = state
        for row in rows:
            sheet.append(row)
            for cell in sheet[sheet.max_row]:
                cell.data_type = "s" if isinstance(cell.value, str) else cell.data_type  # what begins with = too
    book.save(file)
    return file.getvalue()


def reviews(*texts: str) -> list[list]:
    return [HEADER, *([str(ID + i), "2026-01-02", "保温杯", text, REPLY] for i, text in enumerate(texts))]


def picked(page, select: str) -> str:
    return page.eval_on_selector(select, "select => select.selectedOptions[0].text")


def test_the_sheet_the_header_and_the_column_are_found_and_can_be_corrected(page):
    rows = [["一月评价导出"], ["订单", None, None, "评价"], *reviews("漏水，差评", "保温很好")]
    cover = [["请阅读本说明"], ["1. 本表由系统导出"]]
    data = workbook(("字典", "hidden", reviews("隐藏的")), ("说明", "visible", cover), ("评价", "visible", rows))
    put(page, "a.xlsx", data)
    assert picked(page, "#sheet") == "评价"
    assert picked(page, "#header").startswith("第 3 行：订单编号")
    assert picked(page, "#column") == "评价内容"
    assert "2 行，5 列" in page.inner_text("#preview .facts")

    page.select_option("#column", label="商家回复")
    page.select_option("#task", "zero-shot")
    page.select_option("#task", "sentiment")
    assert picked(page, "#column") == "商家回复"  # a choice stays
    page.select_option("#header", "-1")
    page.wait_for_function("() => document.querySelector('#preview .facts').textContent.includes('5 行，5 列')")
    assert page.inner_text("#preview thead").strip().split("\t") == [f"第 {i} 列" for i in range(1, 6)]
    page.select_option("#sheet", "字典")
    page.wait_for_function("() => document.querySelector('#preview tbody').textContent.includes('隐藏的')")
    page.select_option("#sheet", "说明")
    page.wait_for_function("() => document.querySelector('#preview').textContent.includes('系统导出')")
    assert page.is_visible("#sheet")


def test_the_same_file_is_read_again_after_it_was_mended(page, tmp_path):
    file = tmp_path / "a.csv"
    file.write_text("text\n很差\n", encoding="utf-8")
    page.set_input_files("#file", file)
    page.wait_for_selector("#preview tbody :text('很差')")
    file.write_text("text\n很好\n", encoding="utf-8")
    page.set_input_files("#file", file)
    page.wait_for_selector("#preview tbody :text('很好')")


def test_several_files_are_one_table_with_their_names(page):
    files = {
        "一月.csv": csv_of([["评论", "星级"], ["很好", "5"]]),
        "二月.csv": csv_of([["星级", "评论"], ["1", "很差"]]),
    }
    given = [{"name": name, "mimeType": "", "buffer": text.encode()} for name, text in files.items()]
    page.set_input_files("#file", given)
    page.wait_for_selector("#choices")
    rows = score(page)
    assert [(row["评论"], row["星级"], row["文件"]) for row in rows] == [
        ("很好", "5", "一月.csv"),
        ("很差", "1", "二月.csv"),
    ]


def test_each_of_several_files_can_be_corrected(page):
    files = {
        "一月.csv": "编号,评论\n1,很好\n".encode(),
        "二月.csv": "编号,评论\n2,很差\n".encode("utf-16"),
        "三月.xlsx": workbook(
            ("甲", "visible", [["编号", "评论"], [3, "不对"]]), ("乙", "visible", [["编号", "评论"], [4, "一般"]])
        ),
    }
    page.set_input_files("#file", [{"name": name, "mimeType": "", "buffer": data} for name, data in files.items()])
    page.wait_for_selector("#preview tbody :text('很好')")
    assert not page.is_visible("#sheet")
    page.select_option("#source", label="三月.xlsx")
    page.wait_for_selector("#preview tbody :text('不对')")
    page.select_option("#sheet", "乙")
    page.wait_for_selector("#preview tbody :text('一般')")
    assert picked(page, "#source") == "三月.xlsx"
    page.select_option("#source", label="二月.csv")
    assert "UTF-16LE" in picked(page, "#encoding")
    page.select_option("#header", "-1")
    page.wait_for_selector("#preview .facts:text('4 行，5 列')")
    page.select_option("#header", "0")
    page.wait_for_selector("#preview .facts:text('3 行，3 列')")
    assert [(row["编号"], row["评论"], row["文件"]) for row in score(page)] == [
        ("1", "很好", "一月.csv"),
        ("2", "很差", "二月.csv"),
        ("4", "一般", "三月.xlsx"),
    ]


def test_of_several_files_the_one_that_cannot_be_read_is_named(page):
    good = {"name": "一月.csv", "mimeType": "", "buffer": "评论\n很好\n".encode()}
    page.set_input_files("#file", [good, {"name": "二月.xlsx", "mimeType": "", "buffer": b"no zip"}])
    page.wait_for_selector("#error :text('二月.xlsx')")
    page.set_input_files(
        "#file",
        [good, {"name": "二月.csv", "mimeType": "", "buffer": csv_of([["评论"], ['没有"关']]).encode() + b'"\n'}],
    )
    page.wait_for_selector("#choices")
    assert page.inner_text(".doubts").startswith("二月.csv：")


@pytest.mark.parametrize("closes", [False, True], ids=["never closed", "closed by another one further down"])
def test_a_quote_that_swallows_rows_is_told_and_can_be_taken_as_a_character(page, closes):
    rows = ["id,text,star", "1,很好用,5", '2,"物流慢,1', *(f"{i},东西很差{i},1" for i in range(3, 20))]
    rows += ['20,"好用,5', "21,不错,5"] if closes else []
    put(page, "quote.csv", "\n".join(rows).encode())
    assert f"第 3 行的引号没有配对，后面 {len(rows) - 3} 行都进了同一格" in page.inner_text(".doubts")
    page.check("#no-quotes")
    page.wait_for_selector(f"#preview .facts:text('{len(rows) - 1} 行，3 列')")
    assert page.inner_text(".doubts") == ""
    assert [row["id"] for row in score(page)] == [str(i) for i in range(1, len(rows))]


def test_formulas_without_results_are_told(page):
    book, file = openpyxl.Workbook(), io.BytesIO()
    for row in (["编号", "评论"], [1, "=_=太差"], [2, "很好"]):
        book.active.append(row)
    book.save(file)
    put(page, "a.xlsx", file.getvalue())
    assert "1 个公式没有保存结果" in page.inner_text(".doubts")
    assert score(page)[0]["结果"] == "没有内容"


def test_one_is_no_plural(visit, tiny_url):
    page = visit(f"{tiny_url}/ui/bulk?lang=en").page
    page.wait_for_selector("#job")
    put(page, "a.csv", csv_of([["text"], ["很好"]]).encode())
    assert page.inner_text("#preview .facts") == "a.csv: 1 row, 1 column."
    start(page)
    wait_for(page, "done")
    assert page.inner_text("#state") == "All done: 1 row."
    assert page.inner_text("#matches") == "1 row"


def test_pasted_lines_and_cells_and_the_sample(page):
    page.click("#drop summary")
    page.fill("#paste", "很好，下次还来\n物流慢")
    page.click("#read-paste")
    page.wait_for_selector("#choices")
    assert [row["第 1 列"] for row in score(page)] == ["很好，下次还来", "物流慢"]
    page.fill("#paste", "编号\t评论\n1\t很好")
    page.click("#read-paste")
    page.wait_for_selector("#preview thead >> text=评论")
    page.click("#sample")
    page.wait_for_selector("#preview .facts:text('60 行')")
    assert picked(page, "#column") == "评价内容"
    start(page)
    wait_for(page, "done")
    assert "56 行" in page.inner_text("#summary .counts")
    assert "3 行是系统默认评价" in page.inner_text("#summary .counts")


def test_big5_is_told_and_any_encoding_can_be_chosen(page):
    put(page, "a.csv", "編號,評論\n1,這雙鞋真的很舒服，品質不錯\n2,客服態度很差，不推薦\n".encode("big5"))
    assert "BIG5" in picked(page, "#encoding")
    assert "客服態度" in page.inner_text("#preview tbody")
    page.select_option("#encoding", "gb18030")
    page.wait_for_function("() => !document.querySelector('#preview tbody').textContent.includes('客服')")
    page.select_option("#encoding", "auto")
    page.wait_for_function("() => document.querySelector('#preview tbody').textContent.includes('客服')")


@pytest.mark.parametrize(("language", "label", "blank"), [("zh", "结果", "没有内容"), ("en", "label", "No text")])
def test_the_workbook_that_comes_out(visit, tiny_url, language, label, blank):
    page = visit(f"{tiny_url}/ui/bulk?lang={language}").page
    page.wait_for_selector("#job")
    texts = ["很好用", "=1+1", "此用户没有填写评价", "", "太差"]
    put(
        page,
        "评价.xlsx",
        workbook(("评价", "visible", [[*row, 5 if i else "星级"] for i, row in enumerate(reviews(*texts))])),
    )
    start(page)
    wait_for(page, "done")
    with page.expect_download() as wanted:
        page.click("#download")
    assert wanted.value.suggested_filename == "评价.scored.xlsx"
    book = openpyxl.load_workbook(io.BytesIO(wanted.value.path().read_bytes()))
    sheet, summary = book.worksheets
    rows = list(sheet.iter_rows(values_only=True))
    assert rows[0][:6] == (*HEADER, "星级")
    assert [row[0] for row in rows[1:]] == [str(ID + i) for i in range(5)]  # ids are text: no 2.9E+17
    assert [row[5] for row in rows[1:]] == [5] * 5  # a number is one
    assert rows[2][3] == "=1+1"
    assert sheet["D3"].data_type == "s"  # no formula
    assert isinstance(rows[1][rows[0].index(label) + 1], float)
    assert rows[4][rows[0].index(label)] == blank
    assert sheet.auto_filter.ref == sheet.dimensions
    assert sheet.freeze_panes == "A2"
    assert sheet.column_dimensions["D"].width > sheet.column_dimensions["F"].width
    counts = {row[0]: row[1] for row in summary.iter_rows(values_only=True) if row[0]}
    assert counts[blank] == 1
    assert sum(1 for row in rows[1:] if row[rows[0].index(label)] == blank) == 1
    assert done(page) == 5
    assert len(download(page)) == 5


def test_what_is_in_a_file_goes_before_its_name(page):
    put(page, "a.csv", workbook(("评价", "visible", reviews("漏水"))))
    assert picked(page, "#column") == "评价内容"
    page.set_input_files("#file", {"name": "a.xlsx", "mimeType": "", "buffer": "评论\n很好\n".encode()})
    page.wait_for_selector("#error:has-text('扩展名改为 .csv')")
