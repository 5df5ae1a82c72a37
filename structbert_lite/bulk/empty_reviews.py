"""Reviews in which a customer has said nothing: empty ones, and the words that a shop puts in their place."""

import re
import unicodedata

from structbert_lite.tasks.inputs import is_blank

BLANK, DEFAULT = "blank", "default"  # in the place of a label
WHO = "(此|该|本|这位|这个|当前)?(用户|买家|顾客|客户|消费者|评价方|评论者|会员|住客|客人|您|对方)"
NOT = "(没有|尚未|暂未|并未|还未|未能|未|没)(及时|按时|在规定时间内|在有效期内|对本次服务|对商品|对该商品|对此商品)?"
VERB = "(进行|做出|作出|给出|填写|写下|写|发表|发布|提交|留下|添加|输入)"
OPINION = "(任何|文字|具体|有效|的)*(评价|评论|点评|评语)(内容|信息)?"
ANYTHING = "(任何|文字|具体|有效|的)*(评价|评论|点评|评语|留言|内容|文字)(内容|信息)?"
SILENT = f"({WHO}{NOT}{VERB}{ANYTHING}|{WHO}?{NOT}{VERB}?{OPINION}|暂?无{OPINION})"
PRAISE = "(五星|5星|满分|全5星)?(好评|评价|评论|中评|五星|5星)"
GIVEN = f"(系统|平台|商城)(已|将)?(自动)?默认(为|的|给予|给出|做出|作出|其)?({PRAISE})?|(自动)?默认(为|的)?{PRAISE}"
AUTOMATIC = f"(系统|平台)自动(默认|给予|给出|做出|作出)?(为|的)?{PRAISE}"
LATE = "(超时|逾期|(\\d+|十五|七)(天|日)(之?内|后)?)?"
STATED = re.compile(f"{LATE}({SILENT}({GIVEN}|{AUTOMATIC})?|{GIVEN}|{AUTOMATIC}|好评系统默认)[了哦呢]?")
TRADITIONAL = str.maketrans(
    "沒寫評價論戶買統認點內時給發為動顧費對輸絕語", "没写评价论户买统认点内时给发为动顾费对输绝语"
)
MARKS = re.compile(r"[\W_]+")
LONGEST = 40  # characters; no such phrase is longer


def class_of_empty(text: str | None) -> str | None:
    """`BLANK` for a text with nothing to read, `DEFAULT` for a phrase such as 此用户没有填写评价, None for a review.

    The whole text has to be such a phrase: 默认好评，其实很差 is a review.
    """
    if text is None or is_blank(text):
        return BLANK
    if len(text) > LONGEST:
        return None
    said = MARKS.sub("", unicodedata.normalize("NFKC", text)).translate(TRADITIONAL)
    return DEFAULT if said and STATED.fullmatch(said) else None
