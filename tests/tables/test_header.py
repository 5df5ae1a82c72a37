"""Title rows, two header rows, and the column with the texts."""

import pytest

from structbert_lite.tables.header import TableOptions, find_header, guess_column, is_text_name, same_column


def names(rows: list[list[str]], *wanted: str, row: int | None = None) -> tuple[list[str], int]:
    header = find_header(rows, TableOptions(wanted, row))
    assert header is not None
    return header.names, header.data


DATA = [["1", "很好用", "5"], ["2", "很差", "1"]]


@pytest.mark.parametrize(
    ("above", "header", "found"),
    [
        ([], ["编号", "评价", "星级"], ["编号", "评价", "星级"]),
        ([[], []], ["编号", "评价", "星级"], ["编号", "评价", "星级"]),
        ([["2024年5月商品评价导出", "", ""]], ["编号", "评价", "星级"], ["编号", "评价", "星级"]),
        ([["商品评价导出"], [], ["店铺：旗舰店"]], ["编号", "评价", "星级"], ["编号", "评价", "星级"]),
        ([], ["编号", "", "星级"], ["编号", "", "星级"]),
        ([], ["", "text", "star"], ["", "text", "star"]),
        ([], ["id", "text", "text"], ["id", "text", "text.1"]),
    ],
)
def test_rows_above_the_header_are_none_of_the_table(
    above: list[list[str]], header: list[str], found: list[str]
) -> None:
    assert names([*above, header, *DATA]) == (found, len(above) + 1)


def test_of_two_header_rows_the_lower_names_the_columns() -> None:
    data = [["A1", "2024-05-01", "很好用", "5"], ["A2", "2024-05-02", "很差", "1"]]
    upper, lower = ["订单", "", "评价", ""], ["编号", "日期", "内容", "星级"]
    assert names([upper, lower, *data]) == (lower, 2)
    assert names([["2024年5月商品评价导出", "", "", ""], upper, lower, *data]) == (lower, 3)
    assert names([["2024年5月商品评价导出", "", "", ""], upper, lower, *data], "内容") == (lower, 3)
    # A name that is merged downwards stands in the upper row alone.
    rows = [
        ["编号", "评价", "", "店铺"],
        ["", "内容", "星级", ""],
        ["A1", "很好用", "5", "甲"],
        ["A2", "很差", "1", "乙"],
    ]
    assert names(rows) == (["编号", "内容", "星级", "店铺"], 2)


def test_words_beneath_a_gap_are_data_where_nothing_says_that_they_are_names() -> None:
    rows = [["编号", "", "感想"], ["甲", "乙", "很好"], ["丙", "丁", "很差"]]
    assert names(rows) == (["编号", "", "感想"], 1)


def test_the_wanted_columns_and_a_number_decide() -> None:
    rows = [["text"], ["id", "评论"], ["1", "好"], ["2", "坏"]]
    assert names(rows, "text") == (["text"], 1)
    assert names(rows, "评论") == (["id", "评论"], 2)
    assert names(rows, row=3) == (["1", "好"], 3)
    with pytest.raises(ValueError, match="row 9 is empty, it cannot be the header row"):
        names(rows, row=9)
    assert find_header([[], ["", " "]], TableOptions()) is None


REPLY = "非常感谢您的支持与信任，我们会继续努力为您提供更好的服务，期待您的再次光临"


@pytest.mark.parametrize(
    ("columns", "found"),
    [
        ({"评价内容": ["太差", "好"], "商家回复": [REPLY, REPLY]}, "评价内容"),
        ({"商品名称": [REPLY] * 2, "收货地址": [REPLY] * 2, "评论": ["差", "好"]}, "评论"),
        ({"评价时间": ["2024-05-01"], "评价": ["好"], "评价人": ["甲"]}, "评价"),
        ({"用户评价": ["好"], "评价用户": ["甲"]}, "用户评价"),
        ({"review_id": ["1"], "reviewText": ["很好"], "review_date": ["2024"]}, "reviewText"),
        ({"Comment": ["很好"], "comment count": ["3"]}, "Comment"),
        ({"评价": ["好评", "差评"] * 30, "内容": [f"第{i}次来" for i in range(60)]}, "内容"),
        ({"描述相符": ["5"], "留言": ["好"]}, "留言"),
        ({"评论": ["3", "4"]}, None),
        ({"编号": ["1"], "备注": ["好"]}, None),
        ({"编号": ["1"], "正文": ["好"]}, "正文"),
        ({"客户反馈": ["坏了"], "处理意见": [REPLY]}, "客户反馈"),
        ({"訂單編號": ["1"], "評價時間": ["2024-05-01"], "評價內容": ["太差"], "商家回覆": [REPLY]}, "評價內容"),
        ({"編號": ["1"], "評論": ["好"]}, "評論"),
    ],
)
def test_the_column_with_the_texts_is_found_by_its_name(columns: dict[str, list[str]], found: str | None) -> None:
    assert guess_column(columns) == found


def test_names_and_white_space() -> None:
    assert is_text_name("评 价\n内容")
    assert same_column("text", ["id", " text "]) == " text "
    assert same_column("text", ["text", " text"]) == "text"
    assert same_column("text", [" text", "text "]) == "text"
