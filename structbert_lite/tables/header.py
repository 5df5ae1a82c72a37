"""Where a table begins in its sheet or file: title rows, empty rows and two header rows are no data."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

LOOKED_AT = 20  # rows from the first that is not empty
NUMBER = re.compile(r"[-+]?[\d.,:/\-\s%年月日时分秒]+")
# A column whose name holds one of these has the texts, unless it also holds one of the others.
TEXT_NAMES = tuple(
    "评价 评论 评语 点评 内容 留言 描述 反馈 意见 正文 文本 text review comment content feedback".split()
)
OTHER_NAMES = re.compile(
    "时间|日期|星级|评分|分数|得分|等级|类型|分类|数量|次数|人数|总数|编号|单号|序号|用户名|昵称|账号|状态|链接|图片|视频|标题|标签|名称|地址|规格|"
    "来源|回复|回覆|解释|答复|处理|情感|结果|相符|(人|者|数|用户)$"
)
# Traditional characters of such names, so that both scripts are one.
SIMPLIFIED = str.maketrans(
    "評價論語點內饋見時間級數類編號單暱帳賬狀態連結鏈圖視頻標題籤簽名稱規來復釋處情結戶訂說發佈",
    "评价论语点内馈见时间级数类编号单昵账账状态连结链图视频标题签签名称规来复释处情结户订说发布",
)
OTHER_WORDS = frozenset(
    "id ids reply replies response seller merchant date time star stars score rating rate count type url link image "
    "photo user author name title label language lang status category sentiment length no number".split()
)


@dataclass(frozen=True, slots=True)
class TableOptions:
    """How to find the table in a file, where it is not to be found out.

    `wanted`: columns that the header row has; `header_row`, counted from 1; `sheet`: a name, or a number from 1;
    `quoted`: TSV has quotes as CSV has them.
    """

    wanted: tuple[str, ...] = ()
    header_row: int | None = None
    delimiter: str | None = None
    sheet: str | None = None
    quoted: bool = False


class Header(NamedTuple):
    """`names` of the columns, and in which of the rows they were and where the data begin, counted from 0."""

    names: list[str]
    row: int
    data: int


def find_header(rows: Sequence[Sequence[str]], options: TableOptions) -> Header | None:
    """The header among the first rows of a table; None where all of them are empty. Raises ValueError.

    It is the row that was named, else the first that has all the wanted columns, else the first behind title rows: rows
    that fill at most half as many cells as a row behind them. Where cells of it are empty and the next row has only
    words, in all of these columns, the names are of both rows.
    """
    filled = [[place for place, cell in enumerate(row) if cell.strip()] for row in rows]
    if options.header_row is not None:
        row = options.header_row - 1
        if not (0 <= row < len(rows) and filled[row]):
            raise ValueError(
                f"row {options.header_row} is empty, it cannot be the header row; name another --header-row"
            )
        return Header(unique(rows[row]), row, row + 1)
    first = next((row for row, cells in enumerate(filled) if cells), None)
    if first is None:
        return None
    near = [row for row in range(first, min(len(rows), first + LOOKED_AT)) if filled[row]]
    asked = set(options.wanted)
    found = next((row for row in near if asked and asked <= {cell.strip() for cell in rows[row]}), None)
    if found is None:
        widest = max(len(filled[row]) for row in near)
        found = next(row for row in near if 2 * len(filled[row]) > widest)
    names = list(rows[found])
    if found > first and filled[found - 1]:  # a name above that was merged downwards
        above = rows[found - 1]
        fills = len(filled[found - 1]) > 1
        names = [name if name.strip() or not fills else _at(above, place) for place, name in enumerate(names)]
    if _is_upper(rows, filled, found):
        below = rows[found + 1]
        width = max(len(names), len(below))
        both = [_at(below, place) if _at(below, place).strip() else _at(names, place) for place in range(width)]
        return Header(unique(both), found, found + 2)
    return Header(unique(names), found, found + 1)


def _is_upper(rows: Sequence[Sequence[str]], filled: list[list[int]], row: int) -> bool:
    """Whether `row` is the upper one of two header rows: its empty cells, merged once, all have a name beneath."""
    if row + 2 >= len(rows) or not filled[row + 1] or len(filled[row]) < 2:
        return False
    below, beneath = rows[row + 1], set(filled[row + 1])
    width = max(*filled[row], *beneath) + 1
    gaps = set(range(width)) - set(filled[row])
    if not gaps or not gaps <= beneath or 0 in gaps or not any(place - 1 in beneath for place in gaps):
        return False
    words = [below[place].strip() for place in beneath]
    if len(set(words)) < len(words) or any(NUMBER.fullmatch(word) or len(word) > LOOKED_AT for word in words):
        return False
    data = [rows[other] for other in range(row + 2, min(len(rows), row + 2 + LOOKED_AT)) if filled[other]]
    return any(fold(word) in TEXT_NAMES or is_text_name(word) for word in words) or any(
        data and all(NUMBER.fullmatch(_at(cells, place) or " ") for cells in data) for place in beneath
    )


def _at(cells: Sequence[str], place: int) -> str:
    return cells[place] if place < len(cells) else ""


def unique(names: Sequence[str]) -> list[str]:
    """The names in their order; one that occurs again gets a number, as pandas does it."""
    free: dict[str, None] = {}
    for name in names:
        number, candidate = 1, name
        while candidate in free:
            candidate = f"{name}.{number}"
            number += 1
        free[candidate] = None
    return list(free)


def fold(name: str) -> str:
    """A column's name without what people vary: width, case, script, white space."""
    return "".join(unicodedata.normalize("NFKC", name).casefold().split()).translate(SIMPLIFIED)


def is_text_name(name: str) -> bool:
    """Whether a column of this name has the texts to score."""
    folded = fold(name)
    words = re.findall("[A-Z]?[a-z]+|[A-Z]+", unicodedata.normalize("NFKC", name))
    is_other = OTHER_NAMES.search(folded) or any(word.lower() in OTHER_WORDS for word in words)
    return any(part in folded for part in TEXT_NAMES) and not is_other


def guess_column(columns: dict[str, list[str]]) -> str | None:
    """The column with the texts by its name and the first cells of it; None where no name says so.

    Of several the one with the most of TEXT_NAMES in its name wins, then the longest texts. A column of a few different
    values that come again and again (the words of a choice) loses.
    """

    def rank(item: tuple[str, list[str]]) -> tuple[bool, int, float]:
        name, cells = item
        said = [cell for cell in cells if cell.strip()]
        varied = len(said) < LOOKED_AT or len(set(said)) > len(said) / 4
        length = sum(min(len(cell), 1000) for cell in said) / max(1, len(said))
        return varied, sum(part in fold(name) for part in TEXT_NAMES), length

    named = {
        name: cells
        for name, cells in columns.items()
        if is_text_name(name) and not (any(cells) and all(NUMBER.fullmatch(cell) for cell in cells if cell.strip()))
    }
    return max(named.items(), key=rank)[0] if named else None


def same_column(asked: str, names: Sequence[str]) -> str:
    """The one of `names` that is `asked` but for white space around it, else `asked`."""
    alike = [name for name in names if name.strip() == asked.strip()]
    return alike[0] if asked not in names and len(alike) == 1 else asked
