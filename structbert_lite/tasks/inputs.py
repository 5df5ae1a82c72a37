"""What every task asks of its inputs."""

import re
from collections.abc import Sequence

from structbert_lite.errors import InvalidInput, TooManyItems

# Question marks, dots and waves, blanks and emoji behind the last word.
DECORATION = re.compile(r"(?<=\w)[\s?？!！。.~～…\u2600-\u27bf\ufe0f\u200d\U0001f000-\U0001faff]+$")


def is_blank(text: str) -> bool:
    """Whether a text holds nothing but white space and characters that cannot be seen."""
    return not any(character.isprintable() and not character.isspace() for character in text)


def without_decoration(text: str) -> str:
    """`text` up to its last word, without the marks and emoji behind that: they say nothing of what is asked for."""
    return DECORATION.sub("", text)


def require_readable(text: str, field: str) -> None:
    """Raises InvalidInput, with `field`, for a text with nothing to read in it."""
    if is_blank(text):
        raise InvalidInput("the text has no readable characters", field)


def require_at_most(limit: int, count: int, things: str, field: str) -> None:
    """Raises TooManyItems, with `field`, when `count` is over the limit of one request."""
    if count > limit:
        raise TooManyItems(f"{count} {things} in one request, the limit is {limit}", field)


def require_texts(limit: int, texts: Sequence[str], blank: bool = False) -> None:
    """Raises TooManyItems for more than `limit` texts, and InvalidInput with field `texts[i]`.

    With `blank` a text may have nothing to read in it, but not be empty.
    """
    require_at_most(limit, len(texts), "texts", "texts")
    for i, text in enumerate(texts):
        if not (blank and text):
            require_readable(text, f"texts[{i}]")


def require_pairs(limit: int, pairs: Sequence[tuple[str, str]]) -> None:
    """Raises TooManyItems for more than `limit` pairs, and InvalidInput with field `pairs[i][0]` or `pairs[i][1]`."""
    require_at_most(limit, len(pairs), "pairs", "pairs")
    for i, pair in enumerate(pairs):
        for j, text in enumerate(pair):
            require_readable(text, f"pairs[{i}][{j}]")
