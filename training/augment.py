"""Small changes to a text that change no label: what people leave out, add and mistype.

Width, case, traditional characters, quotation marks and a last full stop need none of it: the tokenizer folds them.
"""

import numpy as np

MARKS = "，,、；;：: "
BREAKS = ("，", " ", "。", ",", "")
ENDINGS = ("。", "！", "!", "~", "…", "", "")
# Characters that sound alike and are typed for each other; none where that would say something else (买卖, 不部).
SOUNDS = (
    "的得地 在再 做作坐 他她它 那哪 已以 像象向 和合 是事试 为位未 近进 快块 到道 机记 请情清 "
    "问闻 找照 钱前 换还环 话画 气器 用拥 申伸 预于 订定 退腿 货或 发法 取去 查差 修休 费废 "
    "电店 号好 密蜜 码马 登灯 录路 开凯 通同 期其 收手 件见 师诗 生声 家加 信新 年念 城成 "
    "市室 公工 司思 理里 元圆 楼搂 课客 考靠 题提 分份 长常 带代 度渡 词次 历利 帐账 付负 "
    "转专 款宽 医一 院愿 病并 票漂 站战 车扯 飞非 住主 房防 租足 条调 规归 品拼"
).split()
TYPOS = {one: group.replace(one, "") for group in SOUNDS for one in group}
EMOJI = "😊🙂🙏👋✨🌸🌞☕🎵🎉👀🐶🍀🏠📱📦"  # that say nothing of what is meant


def change(text: str, rng: np.random.Generator) -> str:
    """`text`, in a third of the cases changed in one of the ways of this module."""
    if len(text) < 4 or rng.random() > 0.35:
        return text
    ways = (_other_breaks, _other_ending, _mistype, _mistype, _drop_breaks, _add_emoji)
    return ways[int(rng.integers(len(ways)))](text, rng)


def _other_breaks(text: str, rng: np.random.Generator) -> str:
    new = BREAKS[int(rng.integers(len(BREAKS)))]
    return "".join(new if c in "，,、；" and rng.random() < 0.7 else c for c in text)


def _drop_breaks(text: str, rng: np.random.Generator) -> str:
    return "".join(c for c in text if c not in MARKS or rng.random() < 0.3)


def _other_ending(text: str, rng: np.random.Generator) -> str:
    return text.rstrip("。！!~…. ") + ENDINGS[int(rng.integers(len(ENDINGS)))]


def _add_emoji(text: str, rng: np.random.Generator) -> str:
    return text + EMOJI[int(rng.integers(len(EMOJI)))] * int(rng.integers(1, 3))


def _mistype(text: str, rng: np.random.Generator) -> str:
    """One of TYPOS, a character twice, or two of them in the wrong order."""
    places = [i for i, c in enumerate(text) if c in TYPOS]
    if places and rng.random() < 0.7:
        i = places[int(rng.integers(len(places)))]
        sound = TYPOS[text[i]]
        return text[:i] + sound[int(rng.integers(len(sound)))] + text[i + 1 :]
    i = int(rng.integers(len(text) - 1))
    if not (text[i].isalpha() and text[i + 1].isalpha()):
        return text
    return text[:i] + (text[i] * 2 + text[i + 1] if rng.random() < 0.5 else text[i + 1] + text[i]) + text[i + 2 :]
