"""What a shop writes in the place of a review, and reviews that only look like it."""

import pytest

from structbert_lite.bulk.empty_reviews import class_of_empty

DEFAULT = """此用户没有填写评价。|此用户没有填写评价|默认好评|系统默认好评|系统默认评价|用户未及时做出评价|暂无评价
评价方未及时做出评价,系统默认好评!|此用户未填写评价内容|此用户未及时填写评价内容，系统默认好评！|该用户没有填写评价
买家未及时做出评价，系统默认好评|您没有填写评价内容|15天内买家未作出评价|该用户未发表评论|系统自动好评|系统默认五星好评
默认五星好评|此用户没有填写文字评价|[系统默认评价]|好评！（系统默认）|未填写评价|用户未评价|系统自动默认好评
该用户未对本次服务进行评价|系统默认|超时未评价，系统默认好评|用户没有留下评论|此用戶沒有填寫評價"""
REVIEWS = """好评|没有内容|好|不错，默认好评|没有评价过这么差的店|默认好评，其实很差|系统|评价|默认|没有反馈|好评默认
十五天|了|未收到货|没有好评|客服没有反馈|用户|无|未使用|默认的颜色不好看|没写内容|客户没有反馈|系统默认的语言是英文
此用户没有填写评价，其实我填了，东西很差"""


@pytest.mark.parametrize("text", DEFAULT.replace("\n", "|").split("|"))
def test_a_shops_own_words_are_no_review(text: str) -> None:
    assert class_of_empty(text) == "default"


@pytest.mark.parametrize("text", REVIEWS.replace("\n", "|").split("|"))
def test_a_customers_words_are_one(text: str) -> None:
    assert class_of_empty(text) is None


@pytest.mark.parametrize("text", [None, "", "  ", "\u3000\n", "\u200b"])
def test_nothing_is_blank(text: str | None) -> None:
    assert class_of_empty(text) == "blank"
