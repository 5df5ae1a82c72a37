"""Where a review is cut, and what its passages speak of."""

import pytest

from structbert_lite.tasks.aspect_words import DOMAINS, SO_SO, USUAL, known_name, known_words, literal
from structbert_lite.tasks.passages import cut


@pytest.mark.parametrize(
    ("text", "passages"),
    [
        ("物流很快,包装也严实", ["物流很快", "包装也严实"]),
        ("味道不错价格有点贵", ["味道不错", "价格有点贵"]),
        ("物流和包装都很好", ["物流和包装都很好"]),
        ("物流包装都很好", ["物流包装都很好"]),
        ("客服问了三次,白费口舌,物流倒是快", ["客服问了三次，白费口舌", "物流倒是快"]),
        ("服务热情但是价格离谱", ["服务热情", "但是价格离谱"]),
        ("服务不过如此", ["服务，不过如此"]),  # a turn without another aspect goes on with the one before it
        ("服务员忙不过来", ["服务员忙不过来"]),
        ("好。物流快", ["好", "物流快"]),
        ("？！", []),
    ],
)
def test_where_a_text_is_cut(text: str, passages: list[str]) -> None:
    found = [passage.text for passage in cut(text, known_words())]
    assert [part.rstrip("。") for part in found] == passages


def test_a_clause_without_an_aspect_is_of_the_one_before_it_in_its_sentence() -> None:
    one, other = cut("物流快。今天周三", known_words())
    assert (one.aspects, other.aspects) == ({"物流"}, frozenset())


def test_the_callers_own_words_are_found_as_they_stand() -> None:
    (passage,) = cut("c++教程写得好", {"c++": literal("c++")})
    assert passage.aspects == {"c++"}


def test_every_listed_aspect_is_known_and_no_name_is_another_ones() -> None:
    for name in (*USUAL, *(name for names in DOMAINS.values() for name in names)):
        assert known_name(name) in known_words()
    assert all(known_name(name) == name for name in known_words())
    assert (known_name("快递"), known_name("云台")) == ("物流", None)


@pytest.mark.parametrize(
    ("text", "aspects"),
    [
        ("卫生间很大", {"房间"}),
        ("我在贵阳", set()),
        ("骑手提前送到", {"物流"}),
        ("穿两次就起球", {"质量"}),
        ("隔壁打呼噜", {"隔音"}),
        ("前台爱答不理", {"服务"}),
        ("汤里有头发", {"味道", "卫生"}),
    ],
)
def test_words_that_name_an_aspect(text: str, aspects: set[str]) -> None:
    assert {name for name, words in known_words().items() if words.all.search(text)} == aspects


def test_what_is_so_so() -> None:
    assert all(map(SO_SO.search, ("味道一般", "还行吧", "服务时好时坏", "早餐能吃")))
    assert not any(map(SO_SO.search, ("味道很好", "不能吃", "物流不快")))
