"""Which encoding bytes are in, and how sure that is: naive Bayes over how common the decoded characters are.

UTF-8 that decodes is UTF-8. GB18030 and Big5 decode nearly any bytes of the other, to characters that nobody writes: so
each decoding's characters are weighed, and the likelier one is taken. A byte order mark needs no weighing.
"""

import codecs
import math
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import NamedTuple

MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
    b"\x84\x31\x95\x33": "gb18030",
}
NAMES = {"gb18030": "GB18030", "cp950": "Big5", "big5hkscs": "Big5 (Hong Kong)"}
UNMARKED_UTF_16 = ("utf-16-le", "utf-16-be")
ENOUGH = 20_000  # characters beyond ASCII; more change no answer
# Log of how much likelier such a character is in a text that was decoded right than in one that was not.
FREQUENT, COMMON, PUNCTUATION, STRANGE = 2.5, 0.5, 1.0, -3.0
LIKELIEST = 0.9999  # of a guess; 1 is for what needs none
PRIOR = {"gb18030": 1.0}  # this program's files come from the mainland more often
# The most frequent characters of reviews and of general texts, simplified and traditional.
MOST_FREQUENT = frozenset(
    "的一是了我不人在他有这個个上们來来到時时大地为為子中你说說生国國年着就那和要她出也得里后後自以会會家可下而过過天去能对對小多然于"
    "於心学學么麼之都好看起发發当當没沒成只如事把还還用第样樣道想作种種开開美总總从從无無情己面最女但现現前些所同日手又行意动動方"
    "期它头頭经經长長儿兒回位分爱愛老因很给給名法间間斯知世什两兩次使身者被高已亲親其进進此话話常与與活正感太差快慢物流客服质質量"
    "买買卖賣评評论論价價格编號号东東西店态態度推荐薦送货貨包装裝错錯满滿收屏幕服务務味房酒电電品鞋喜欢歡非比较較真实實让讓"
    "请請问問题題怎样啊吧吗嗎呢哦谢謝点點值便宜贵貴新旧舊色尺寸码碼穿订訂单單内容内星级級这這鞋舒双雙次再退换換坏壞"
)


class Encoding(NamedTuple):
    """Python's name of an encoding and the probability, from 0 to 1, that it is the right one."""

    name: str
    sure: float


def guess(blocks: Callable[[], Iterable[bytes]], whole: bool) -> Encoding | None:
    """The likeliest encoding of the bytes that `blocks()` gives, each time anew; None where none of them fits.

    `whole`: the blocks end where the text ends, not perhaps within a character.
    """
    start = next(iter(blocks()), b"")
    if name := next((name for mark, name in MARKS.items() if start.startswith(mark)), None):
        return Encoding(name, 1)
    weights: dict[str, float] = {}
    if b"\0" in start:  # of plain text only UTF-16 has them
        weights = _weigh_all(UNMARKED_UTF_16, blocks, whole)
        weights = {name: weight for name, weight in weights.items() if weight > 0}
    if not weights:
        if _weigh("utf-8", blocks, whole) is not None:
            return Encoding("utf-8", 1)
        weights = _weigh_all(("gb18030", "cp950"), blocks, whole)
        if "cp950" not in weights:
            weights |= _weigh_all(("big5hkscs",), blocks, whole)
    if not weights:
        return None
    best = max(weights, key=lambda name: weights[name])
    top = max(weights[best], 0.0)
    others = [weight for name, weight in weights.items() if name != best] + [0.0]  # 0: no text of any of them
    likely = math.exp(weights[best] - top) / sum(math.exp(weight - top) for weight in [weights[best], *others])
    return Encoding(best, min(likely, LIKELIEST))


def _weigh_all(names: Iterable[str], blocks: Callable[[], Iterable[bytes]], whole: bool) -> dict[str, float]:
    found = {name: _weigh(name, blocks, whole) for name in names}
    return {name: weight + PRIOR.get(name, 0) for name, weight in found.items() if weight is not None}


def _weigh(name: str, blocks: Callable[[], Iterable[bytes]], whole: bool) -> float | None:
    """The sum of the characters' weights; None where the bytes do not decode."""
    weight, left = 0.0, ENOUGH
    try:
        for text in _decode(name, blocks(), whole):
            if left > 0 and name != "utf-8":
                characters = [c for c in text if c >= "\x80" or c == "\0"][:left]
                weight += sum(map(_weight, characters)) + (text.count("\n") if "utf-16" in name else 0)
                left -= len(characters)
    except UnicodeDecodeError:
        return None
    return weight


def _decode(name: str, blocks: Iterable[bytes], whole: bool) -> Iterator[str]:
    decoder = codecs.getincrementaldecoder(name)()
    for block in blocks:
        yield decoder.decode(block)
    if whole:
        yield decoder.decode(b"", final=True)


@cache
def _weight(character: str) -> float:
    if character in MOST_FREQUENT:
        return FREQUENT
    if "\u3000" <= character <= "\u301f" or "\uff01" <= character <= "\uff5e" or character in "“”‘’—…·":
        return PUNCTUATION
    if character in _common():
        return COMMON
    is_picture = character >= "\U0001f000" or "\u2600" <= character <= "\u27bf" or character in "\ufe0f\u200d"
    return 0 if is_picture else STRANGE


@cache
def _common() -> frozenset[str]:
    """The first levels of GB 2312 and Big5, which their authors chose by how often a character is written."""
    simplified = ((a, b) for a in range(0xB0, 0xD8) for b in range(0xA1, 0xFF))
    traditional = ((a, b) for a in range(0xA4, 0xC7) for b in (*range(0x40, 0x7F), *range(0xA1, 0xFF)))
    pairs = [(bytes(pair), "gb2312") for pair in simplified] + [(bytes(pair), "big5") for pair in traditional]
    return frozenset(pair.decode(name, "ignore") for pair, name in pairs) - {""}
