"""Small changes to a text that change no label: what people leave out, add and mistype.

Width, case, traditional characters, quotation marks and a last full stop need none of it: the tokenizer folds them.
"""

import numpy as np

MARKS = "，,、；;：: "
BREAKS = ("，", " ", "。", ",", "")
ENDINGS = ("。", "！", "!", "~", "…", "", "")
TYPOS = {
    "的": "得",
    "得": "的",
    "地": "的",
    "在": "再",
    "再": "在",
    "做": "作",
    "他": "她",
    "那": "哪",
    "已": "以",
    "像": "象",
}


def change(text: str, rng: np.random.Generator) -> str:
    """`text`, in a third of the cases changed in one of the ways of this module."""
    if len(text) < 4 or rng.random() > 0.35:
        return text
    return (_other_breaks, _other_ending, _mistype, _drop_breaks)[int(rng.integers(4))](text, rng)


def _other_breaks(text: str, rng: np.random.Generator) -> str:
    new = BREAKS[int(rng.integers(len(BREAKS)))]
    return "".join(new if c in "，,、；" and rng.random() < 0.7 else c for c in text)


def _drop_breaks(text: str, rng: np.random.Generator) -> str:
    return "".join(c for c in text if c not in MARKS or rng.random() < 0.3)


def _other_ending(text: str, rng: np.random.Generator) -> str:
    return text.rstrip("。！!~…. ") + ENDINGS[int(rng.integers(len(ENDINGS)))]


def _mistype(text: str, rng: np.random.Generator) -> str:
    """One of TYPOS, a character twice, or two of them in the wrong order."""
    places = [i for i, c in enumerate(text) if c in TYPOS]
    if places and rng.random() < 0.6:
        i = places[int(rng.integers(len(places)))]
        return text[:i] + TYPOS[text[i]] + text[i + 1 :]
    i = int(rng.integers(len(text) - 1))
    if not (text[i].isalpha() and text[i + 1].isalpha()):
        return text
    return text[:i] + (text[i] * 2 + text[i + 1] if rng.random() < 0.5 else text[i + 1] + text[i]) + text[i + 2 :]
