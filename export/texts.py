"""The texts on which a model is checked."""

from pathlib import Path

from export.refusal import ExportRefused
from structbert_lite.tables.source import UnknownEncoding, read_text

DEFAULT_TEXTS = Path(__file__).with_name("texts_zh.txt")

# One of each kind that has gone wrong somewhere: very short, longer than any limit, emoji, Latin and
# accents, traditional characters, full-width forms, several lines, characters outside the vocabulary.
PARITY_TEXTS = (
    "好",
    "这部电影太烂了，完全浪费时间",
    "房间很干净，早餐也不错，下次还会再来。",
    "服務態度很差，等了一個小時才上菜，再也不會光顧。",
    "太好吃了😋👍，强烈推荐❤️！",
    "👎👎👎",
    "The hotel was OK, but Wi-Fi 太慢了，Café 里的 espresso 还行。",
    "１２３ＡＢＣ：全角字符，￥９９．９",
    "第一行\n第二行\t制表符　全角空格",
    "𠮷野家的牛丼份量足，龘靐齉。",
    "物流很快，包装完好，就是价格有点贵，但是质量确实对得起这个价钱，用了一个星期没有发现任何问题。",
    "等了三个星期才收到货，打开一看屏幕是碎的，客服一直推脱。" * 60,
)


def read_texts(path: Path) -> list[str]:
    """The lines of a file, UTF-8 or GB18030, without the blank ones, one text each.

    Raises ExportRefused when the file is missing, empty or neither.
    """
    try:
        text, _ = read_text(path)
    except OSError as error:
        raise ExportRefused(f"the file of texts {path} cannot be read: {error.strerror}") from None
    except UnknownEncoding as error:
        raise ExportRefused(f"the file of texts cannot be read: {error}") from None
    texts = [line.strip() for line in text.split("\n") if line.strip()]
    if not texts:
        raise ExportRefused(f"the file of texts {path} has no text in it")
    return texts
