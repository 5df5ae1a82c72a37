"""What every task asks of its inputs."""

import re
from collections.abc import Sequence

from structbert_lite.errors import InvalidInput, TooManyItems
from structbert_lite.inference.tokenizer import Tokenizer

# Cc, Cf, Cs, Co, Zs, Zl and Zp of Unicode 16. Not unicodedata's: what a text is must not depend on the Python below, of
# which an older one does not know the newest emoji.
UNREADABLE = re.compile(
    r"[\x00- \x7f-\xa0\xad\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u1680\u180e\u2000-\u200f\u2028-\u202f"
    r"\u205f-\u2064\u2066-\u206f\u3000\ud800-\uf8ff\ufeff\ufff9-\ufffb\U000110bd\U000110cd\U00013430-\U0001343f"
    r"\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0001\U000e0020-\U000e007f\U000f0000-\U000ffffd"
    r"\U00100000-\U0010fffd]*"
)
# What no tokenizer deletes: most texts need not be asked about.
ALWAYS_READ = re.compile("[0-9A-Za-z\u3400-\u4dbf\u4e00-\u9fff]")

# Question marks, dots and waves, blanks and emoji behind the last word.
DECORATION = re.compile(r"(?<=\w)[\s?？!！。.~～…\u2600-\u27bf\ufe0f\u200d\U0001f000-\U0001faff]+$")


def is_blank(text: str) -> bool:
    """Whether a text holds nothing but white space and characters that cannot be seen."""
    return UNREADABLE.fullmatch(text) is not None


def without_decoration(text: str) -> str:
    """`text` up to its last word, without the marks and emoji behind that: they say nothing of what is asked for."""
    return DECORATION.sub("", text)


def require_readable(text: str, field: str, tokenizer: Tokenizer) -> None:
    """Raises InvalidInput, with `field`, for a text that is blank or of which `tokenizer` deletes everything."""
    if not ALWAYS_READ.search(text) and (is_blank(text) or tokenizer.deletes(text)):
        raise InvalidInput("the text has no readable characters", field)


def require_at_most(limit: int, count: int, things: str, field: str) -> None:
    """Raises TooManyItems, with `field`, when `count` is over the limit of one request."""
    if count > limit:
        raise TooManyItems(f"{count} {things} in one request, the limit is {limit}", field)


def require_texts(limit: int, texts: Sequence[str], tokenizer: Tokenizer, blank: bool = False) -> None:
    """Raises TooManyItems for more than `limit` texts, and InvalidInput with field `texts[i]`.

    With `blank` a text may have nothing to read in it, but not be empty.
    """
    require_at_most(limit, len(texts), "texts", "texts")
    for i, text in enumerate(texts):
        if not (blank and text):
            require_readable(text, f"texts[{i}]", tokenizer)


def require_pairs(limit: int, pairs: Sequence[tuple[str, str]], tokenizer: Tokenizer) -> None:
    """Raises TooManyItems for more than `limit` pairs, and InvalidInput with field `pairs[i][0]` or `pairs[i][1]`."""
    require_at_most(limit, len(pairs), "pairs", "pairs")
    for i, pair in enumerate(pairs):
        for j, text in enumerate(pair):
            require_readable(text, f"pairs[{i}][{j}]", tokenizer)
