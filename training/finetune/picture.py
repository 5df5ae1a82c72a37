"""The confusion matrix as a picture. Labels a font on this machine cannot write are shown by their numbers."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib import get_data_path
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findSystemFonts
from matplotlib.ft2font import FT2Font

# Of the files that hold an upright font of a common weight.
FILES = (
    "DejaVuSans",
    *(
        "NotoSansCJK-Regular",
        "NotoSansCJKsc-Regular",
        "NotoSansSC-Regular",
        "SourceHanSans",
        "wqy-microhei",
        "wqy-zenhei",
    ),
    *("msyh", "simhei", "PingFang", "STHeiti"),
)
BLANK = ("LastResort", "AdobeBlank")  # they claim to have every character and show none
MOST_NAMES = 60  # labels; of more, neither names nor numbers in cells could be read
MOST_CELLS = 25
LONGEST_NAME = 14


def draw_confusion(confusion: np.ndarray, labels: Sequence[str], target: Path) -> bool:
    """Writes a PNG: rows are the true labels, columns the found ones, colours shares of a row.

    Returns whether the labels stand in it by name; otherwise they are numbered from 1, in their order.
    """
    count = len(labels)
    font = find_font("".join(labels) + "…") if count <= MOST_NAMES else None
    names = [_shorten(label) for label in labels] if font else [str(i + 1) for i in range(count)]
    side = min(16.0, max(4.5, 0.42 * count + 3))
    picture = Figure(figsize=(side + 1, side), layout="constrained")
    axes = picture.subplots()
    shares = confusion / np.maximum(confusion.sum(1, keepdims=True), 1)
    image = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    picture.colorbar(image, ax=axes, shrink=0.8, label="share of the true label's rows")
    step = 1 if count <= MOST_NAMES else count // 30
    places = range(0, count, step)
    turned = 90 if max(map(len, names)) > 3 else 0
    size = 10 if count <= MOST_CELLS else 7
    axes.set_xticks(places, names[::step], fontproperties=font, fontsize=size, rotation=turned)
    axes.set_yticks(places, names[::step], fontproperties=font, fontsize=size)
    axes.set_xlabel("found")
    axes.set_ylabel("true")
    if count <= MOST_CELLS:
        for row, column in zip(*np.nonzero(confusion), strict=True):
            colour = "white" if shares[row, column] > 0.5 else "black"
            axes.text(
                column, row, str(confusion[row, column]), ha="center", va="center", color=colour, fontsize=size - 1
            )
    picture.savefig(target, dpi=120)
    return font is not None


def find_font(characters: str) -> FontProperties | None:
    """A font of this machine that has all `characters`, well-known ones first; None where there is none."""
    needed = {ord(character) for character in characters if not character.isspace()}
    # Not matplotlib's own list: it is cached, so a font installed since then is not in it.
    paths = [Path(get_data_path()) / "fonts" / "ttf" / f"{FILES[0]}.ttf", *map(Path, sorted(findSystemFonts()))]
    for path in sorted(paths, key=_place):
        try:
            if not path.stem.startswith(BLANK) and needed <= FT2Font(path).get_charmap().keys():
                return FontProperties(fname=path)
        except (OSError, RuntimeError):  # of a kind that cannot be drawn
            continue
    return None


def _place(path: Path) -> int:
    return next((i for i, name in enumerate(FILES) if path.stem.startswith(name)), len(FILES))


def _shorten(label: str) -> str:
    return label if len(label) <= LONGEST_NAME else label[: LONGEST_NAME - 1] + "…"
