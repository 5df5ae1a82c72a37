"""Which encoding short and long files are in."""

import pytest

from structbert_lite.tables.encoding import guess

SIMPLIFIED = [
    "很好",
    "编号,评论\n1,很好用\n2,太差了\n",
    "屏幕有划痕，客服不理人",
    "id,text\n1,不错\n",
    "此用户没有填写评价。",
    "咨询\n投诉\n建议\n",
    "評價內容很好",
    "颜色发黄",
    "好😀",
]
TRADITIONAL = [
    "很好",
    "編號,評論\n1,很好用\n2,太差了\n",
    "客服態度很差，不推薦",
    "這雙鞋真的很舒服，品質不錯",
    "顏色發黃",
    "貓咪很喜歡",
]


@pytest.mark.parametrize(
    ("text", "encoding", "found"),
    [
        *((text, "gb18030", "gb18030") for text in SIMPLIFIED),
        *((text, "big5", "cp950") for text in TRADITIONAL),
        ("我哋好鍾意呢間舖頭", "big5hkscs", "big5hkscs"),
        ("id,text\n1,很好用\n", "utf-16-le", "utf-16-le"),
        ("id,text\n1,很好用\n", "utf-16-be", "utf-16-be"),
        ("id,text\n1,很好用\n", "utf-16", "utf-16"),
        ("很好", "utf-8", "utf-8"),
        ("很好", "utf-8-sig", "utf-8-sig"),
        ("plain", "ascii", "utf-8"),
        ("", "utf-8", "utf-8"),
    ],
)
def test_even_a_short_text_is_told_by_how_common_its_characters_are(text: str, encoding: str, found: str) -> None:
    data = text.encode(encoding)
    by_one = guess(lambda: [data], True)
    assert by_one is not None
    assert by_one.name == found
    assert by_one.sure > 0.85
    if found in {"gb18030", "cp950"}:  # wherever a block ends
        assert guess(lambda: (data[i : i + 1] for i in range(len(data))), True) == by_one


def test_it_is_surer_of_more_text_and_unsure_of_what_is_no_chinese() -> None:
    texts = [text.encode("gb18030") for text in ("好", "很好", "物流很快，包装也很好")]
    sure = [guess(lambda text=text: [text], True).sure for text in texts]
    assert sure == sorted(sure)
    assert sure[-1] > 0.999
    assert guess(lambda: ["とても良い商品です".encode("shift_jis")], True).sure < 0.5
    assert guess(lambda: ["龘靐齉".encode("gb18030")], True).sure < 0.5


def test_a_stream_may_end_within_a_character_and_a_file_may_not() -> None:
    data = "物流很快".encode()[:-1]
    assert guess(lambda: [data], False).name == "utf-8"
    assert guess(lambda: [b"ab\xff\xff"], True) is None
