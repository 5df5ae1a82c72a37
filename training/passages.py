"""Passages of texts as the aspects task cuts them, for the sentiment model, which is asked about them there.

A text that praises one thing and blames another is neutral as a whole; a passage of it is not.
"""

from collections.abc import Sequence
from pathlib import Path

from tokenizers import Tokenizer

from structbert_lite.tasks.aspect_words import known_name, known_words, literal
from structbert_lite.tasks.passages import cut
from training.diaasq import read_aspects
from training.own import Opinion

SUBJECT = "passages"
LABELS = {"+": "positive", "-": "negative", "0": "neutral"}
MARKS = {"pos": "+", "neg": "-", "neu": "0", "doubt": "0"}


def cut_passages(rows: Sequence[Opinion], tokenizer: Tokenizer) -> list[Opinion]:
    """Those whose aspects are all spoken of in one way, each once; a text that is one passage is left out."""
    passages = {}
    for row in rows:
        named = {known_name(aspect[:-1]) or aspect[:-1]: aspect[-1] for aspect in row.aspects}
        words = {**known_words(), **{name: literal(name) for name in named if name not in known_words()}}
        for passage in cut(tokenizer.normalizer.normalize_str(row.text), words) if named else ():
            marks = {named[aspect] for aspect in passage.aspects if aspect in named}
            if len(marks) == 1 and (label := LABELS.get(marks.pop())) and passage.text != row.text:
                passages[passage.text] = Opinion(passage.text, label, (), SUBJECT)
    return list(passages.values())


def read_marked(path: Path) -> list[Opinion]:
    """DiaASQ's posts with their aspects, as `cut_passages` takes them; those of several polarities are mixed."""
    return [
        Opinion(text, "", tuple(aspect + _mark(*said) for aspect, said in aspects.items()), SUBJECT)
        for text, aspects in read_aspects(path).items()
    ]


def _mark(polarity: str, *others: str) -> str:
    return "~" if others else MARKS.get(polarity, "~")
