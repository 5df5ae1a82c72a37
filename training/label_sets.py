"""Texts and the labels that people sort them by: what zero-shot classification learns from besides NLI."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from training.examples import read_tsv

OWN = Path(__file__).parent / "data" / "topics"  # short texts written for this project
# Labels of WIDE, or of two sets, that may both be right for a text: neither is a wrong answer beside the other.
WIDE = "topics_news"
KIN = [
    {"财经", "股票", "理财", "互联网", "职场"},
    {"科技", "数码", "互联网", "科普", "财经"},
    {"体育", "足球", "篮球"},
    {"娱乐", "明星", "电影", "音乐", "动漫"},
    {"健康", "医疗", "科普", "美食"},
    {"社会", "法律", "时政", "情感", "故事"},
    {"时政", "国际", "军事"},
    {"文化", "历史", "故事", "教育"},
    {"房产", "家居"},
    {"教育", "育儿", "职场"},
    {"农业", "环保", "天气"},
    {"求助", "咨询"},
    {"悲伤", "难过"},
]
# Other words for a topic, so that none of them is learnt by its one name.
WORDINGS = {
    "财经": ("经济", "金融", "财经新闻"),
    "股票": ("股市", "证券", "炒股"),
    "房产": ("房地产", "楼市", "买房"),
    "教育": ("学校教育", "考试升学", "教育新闻"),
    "科技": ("科学技术", "互联网科技", "数码科技"),
    "社会": ("社会新闻", "民生", "社会百态"),
    "时政": ("政治", "政务", "时事政治"),
    "体育": ("体育运动", "体坛", "运动赛事"),
    "游戏": ("电子游戏", "电竞", "网游"),
    "娱乐": ("娱乐圈", "影视明星", "文娱"),
    "汽车": ("车", "车市", "买车用车"),
    "军事": ("国防军事", "军队武器", "部队"),
    "旅游": ("旅行", "出游", "景点旅游"),
    "国际": ("国际新闻", "世界", "海外"),
    "农业": ("三农", "农村农业", "种植养殖"),
    "文化": ("文化艺术", "传统文化", "文史"),
    "故事": ("民间故事", "情感故事", "生活故事"),
}
# The categories of CSL, which are kept for the report.
CSL = set("哲学 经济学 法学 教育学 文学 历史学 理学 工学 农学 医学 军事学 管理学 艺术学".split())
LONGEST = 90  # characters of a text that are read in training


@dataclass(frozen=True, slots=True)
class Labelled:
    """A text, its label, and the labels that it was chosen from."""

    text: str
    label: str
    labels: tuple[str, ...]
    source: str


def read_own() -> list[Labelled]:
    """The texts in OWN: a file is one label set, or several where it has the column `set`."""
    out = []
    for path in sorted(OWN.glob("*.tsv")):
        rows = read_tsv(path)
        for name in dict.fromkeys(r.get("set", "") for r in rows):
            own = [r for r in rows if r.get("set", "") == name]
            out += _label(own, path.stem, tuple(dict.fromkeys(r["label"] for r in own)))
    return out


def draw_candidates(example: Labelled, others: list[str], count: int, rng: np.random.Generator) -> list[str]:
    """The example's label first, then up to `count` wrong ones: of its own set, and one of another now and then."""
    kin = set().union(*(group for group in KIN if example.label in group))
    mixed = kin if example.source == WIDE else set()
    wrong = [label for label in example.labels if label != example.label and label not in mixed]
    drawn = [wrong[i] for i in rng.permutation(len(wrong))[:count]]
    if len(drawn) < count or rng.random() < 0.15:
        other = others[int(rng.integers(len(others)))]
        if other not in {example.label, *drawn, *kin}:
            drawn = [*drawn[: count - 1], other]
    return [example.label, *drawn]


def reword(labels: list[str], rng: np.random.Generator) -> list[str]:
    """Each label in one of its WORDINGS, where it has any."""
    return [str(rng.choice(WORDINGS[label])) if label in WORDINGS else label for label in labels]


def _label(rows: list[dict[str, str]], source: str, labels: tuple[str, ...]) -> list[Labelled]:
    return [Labelled(r["text"], r["label"], labels, source) for r in rows]
