"""The words by which reviews of shops, restaurants and hotels name what they speak of; aspect_words.toml has them."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

Domain = Literal["shop", "food", "hotel"]

USUAL = ("质量", "价格", "服务", "物流", "包装", "外观", "味道", "分量", "卫生", "环境", "位置", "设施")
DOMAINS: dict[Domain, tuple[str, ...]] = {
    "shop": ("质量", "价格", "服务", "物流", "包装", "外观", "尺码", "效果"),
    "food": ("味道", "分量", "价格", "服务", "卫生", "环境", "配送", "包装"),
    "hotel": ("房间", "卫生", "服务", "位置", "价格", "早餐", "设施", "隔音"),
}
# Neither good nor bad: an opinion that a model of two sides takes for one of them at random.
SO_SO = re.compile(
    "一般|普普通通|普通|中等|还行|还可以|凑合|马马虎虎|平平|中规中矩|勉强|说不上|谈不上|不算.{1,5}也|时好时坏|看运气|看命|过得去|"
    "也就[算那]|就那样|还算|不功不过|见仁见智|(?<![不才])能[吃睡](?=[，。,]|$)|那几样|不[近大多]不[远小少]|有.{1,4}也有|算正常|时间正常"
)


@dataclass(frozen=True, slots=True)
class Words:
    """How an aspect is named: by its `subjects` alone, and by any of its words."""

    subjects: re.Pattern[str]
    all: re.Pattern[str]


@cache
def known_words() -> Mapping[str, Words]:
    """The words of each known aspect by its name."""
    return {
        name: Words(re.compile("|".join(entry["subjects"])), re.compile("|".join(entry["subjects"] + entry["signs"])))
        for name, entry in _entries().items()
    }


def known_name(aspect: str) -> str | None:
    """The name, in `known_words`, of an aspect by whatever name; None of one that is not known."""
    return next((name for name, entry in _entries().items() if aspect in (name, *entry["other_names"])), None)


def literal(word: str) -> Words:
    """An aspect that is named by a word of its own alone."""
    pattern = re.compile(re.escape(word))
    return Words(pattern, pattern)


@cache
def _entries() -> dict[str, dict[str, list[str]]]:
    return tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
