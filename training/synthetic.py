"""Short made-up sentences about negation and contrast, which reviews alone teach a small model badly.

"没有不好吃", "虽然便宜但是太吵": each pattern has a known label, each is filled from small word lists.
The hand-written suite in the tests was written apart from these patterns.
"""

import random

from training.examples import Example

GOOD = """好吃 好看 好用 干净 舒服 便宜 新鲜 热情 方便 精彩
漂亮 实惠 安静 清楚 流畅 结实 周到 感人 有趣 快""".split()
BAD = """难吃 难看 难用 脏 难受 贵 冷淡 麻烦 无聊 丑
吵 模糊 卡 差 慢 失望 垃圾 粗糙 乏味 烂""".split()
SUBJECTS = [*"味道 服务 房间 这本书 物流 质量 屏幕 剧情 环境 态度 价格 衣服 电影 手机 客服 包装".split(), *[""] * 6]
BOTH = ["{}太{}了", "{}很{}", "{}真的{}", "{}挺{}的", "{}{}"]
NEGATED = ["{}不{}", "{}一点也不{}", "{}并不{}", "{}不太{}", "{}不怎么{}", "{}没有想象中{}", "谁说{}{}了"]
DOUBLE = ["{}不是不{}", "{}没有不{}", "{}不能说不{}", "{}哪里不{}了"]
CONTRAST = ["虽然{0}，但是{1}", "{0}，不过{1}", "{0}，可惜{1}", "{0}，但{1}", "尽管{0}，{1}"]


def make_examples(count: int, seed: int) -> list[Example]:
    """`count` distinct sentences or fewer, half positive, in an order fixed by `seed`."""
    rng = random.Random(seed)
    made: dict[str, Example] = {}
    for _ in range(count * 3):
        example = _draw(rng, positive=rng.random() < 0.5)
        made.setdefault(example.text, example)
        if len(made) == count:
            break
    return list(made.values())


def _draw(rng: random.Random, positive: bool) -> Example:
    kind = rng.choice(["plain", "negated", "double", "contrast", "contrast"])
    if kind == "contrast":
        first, last = _clause(rng, not positive), _clause(rng, positive)
        patterns = [p for p in CONTRAST if not (positive and "可惜" in p)]
        text = rng.choice(patterns).format(first, last)
    else:
        text = _clause(rng, positive, kind)
    return Example(text + rng.choice(["", "", "。", "！"]), 0.95 if positive else 0.05, "synthetic")


def _clause(rng: random.Random, positive: bool, kind: str = "plain") -> str:
    subject = rng.choice(SUBJECTS)
    if kind == "double":  # two negations of a good word praise, of a bad word there is none in use
        return rng.choice(DOUBLE if positive else NEGATED[:5]).format(subject, rng.choice(GOOD))
    patterns = NEGATED if kind == "negated" else BOTH
    flips = kind == "negated"
    return rng.choice(patterns).format(subject, rng.choice(GOOD if positive != flips else BAD))
