"""A review cut into passages that speak of one thing, and which of the known aspects each speaks of."""

import itertools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from structbert_lite.tasks.aspect_words import Words

SENTENCE = re.compile(r"[^。！？!?\n]+[。！？!?]*")
CLAUSE = re.compile(r"[^，；;,…～~\s]+")
TURN = re.compile(r"(?<!^)(?=但是|但(?!是|凡)|不过(?![来去])|可惜|可是|然而)")
JOINED = ("和", "跟", "与", "及", "、", "的")  # what comes behind belongs to what stands before


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of a text, and the aspects that it speaks of."""

    text: str
    aspects: frozenset[str]


def cut(text: str, words: Mapping[str, Words]) -> list[Passage]:
    """The passages of `text` in order: clauses, cut where another aspect's subject begins.

    A clause without an aspect goes on with that of the one before it in the same sentence.
    """
    passages: list[Passage] = []
    for sentence in SENTENCE.findall(text):
        begins = True
        for clause in _clauses(sentence, words):
            aspects = frozenset(name for name, known in words.items() if known.all.search(clause))
            if aspects or begins:
                passages.append(Passage(clause, aspects))
            else:
                passages[-1] = Passage(f"{passages[-1].text}，{clause}", passages[-1].aspects)
            begins = False
    return passages


def _clauses(sentence: str, words: Mapping[str, Words]) -> Iterator[str]:
    for clause in CLAUSE.findall(sentence):
        for part in filter(None, TURN.split(clause)):
            yield from _by_subject(part, words)


def _by_subject(clause: str, words: Mapping[str, Words]) -> Iterator[str]:
    """Cut before each subject of another aspect than the one before it, where something is said of that."""
    found = sorted(
        (match.start(), match.end(), name) for name, known in words.items() for match in known.subjects.finditer(clause)
    )
    begin = 0
    for (_, end, name), (start, _, other) in itertools.pairwise(found):
        if other != name and start - end >= 2 and not clause[:start].endswith(JOINED):
            yield clause[begin:start]
            begin = start
    yield clause[begin:]
