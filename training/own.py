"""The texts written for this project, in training/data: a folder a set, a file a subject, which its rows name."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np

from training.examples import read_tsv

DATA = Path(__file__).parent / "data"
HELD_OUT = 0.06  # of each file, to look at after an epoch and to choose thresholds on
SPLIT = 20  # seed of what is held out: the same rows for every run
SENTIMENTS = ("negative", "neutral", "positive")

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Opinion:
    """A text, its label, one of SENTIMENTS, and the aspects that it names, each with `+`, `-` or `~` behind it."""

    text: str
    label: str
    aspects: tuple[str, ...]
    subject: str


@dataclass(frozen=True, slots=True)
class Paraphrase:
    """A text, two of the same meaning, with many of its words and with few, and two of another meaning, likewise."""

    text: str
    same: tuple[str, ...]
    other: tuple[str, ...]
    kind: str
    subject: str

    def judged(self) -> list[tuple[str, bool]]:
        """Each of the others, and whether it has the text's meaning."""
        return [(text, True) for text in self.same] + [(text, False) for text in self.other]


@dataclass(frozen=True, slots=True)
class Question:
    """Two questions or commands, and whether a person who asks the one asks the other."""

    text_a: str
    text_b: str
    same: bool
    subject: str


@dataclass(frozen=True, slots=True)
class Inference:
    """A text, and statements that follow from it, may or may not be true, and cannot be true."""

    text: str
    entailed: str
    neutral: str
    contradicted: str
    subject: str


@dataclass(frozen=True, slots=True)
class Choice:
    """A text, the label that fits it, and labels that do not."""

    text: str
    fits: str
    wrong: tuple[str, ...]
    subject: str


@dataclass(frozen=True, slots=True)
class Search:
    """A query, the text that answers it, and texts that do not."""

    query: str
    answer: str
    misses: tuple[str, ...]
    kind: str
    subject: str


def opinions() -> tuple[list[Opinion], list[Opinion]]:
    """(rows to train on, rows held out) of the sentiment set; so do the functions below for theirs."""
    return _read(
        "sentiment",
        lambda row, subject: Opinion(
            row["text"], row["label"], tuple(a for a in row["aspects"].split(";") if a), subject
        ),
    )


def paraphrases() -> tuple[list[Paraphrase], list[Paraphrase]]:
    def from_row(row: dict[str, str], subject: str) -> Paraphrase:
        same, other = (row["same_close"], row["same_far"]), (row["other_close"], row["other_far"])
        return Paraphrase(row["text"], same, other, row["kind"], subject)

    return _read("pairs", from_row)


def questions() -> tuple[list[Question], list[Question]]:
    return _read("questions", lambda row, subject: Question(row["text_a"], row["text_b"], row["label"] == "1", subject))


def judged(doubles: Sequence[Paraphrase], asked: Sequence[Question]) -> list[tuple[str, str, bool]]:
    """Pairs of texts, and whether they have one meaning."""
    pairs = [(p.text, text, same) for p in doubles for text, same in p.judged()]
    return pairs + [(q.text_a, q.text_b, q.same) for q in asked]


def inferences() -> tuple[list[Inference], list[Inference]]:
    return _read(
        "nli",
        lambda row, subject: Inference(row["text"], row["entailed"], row["neutral"], row["contradicted"], subject),
    )


def choices() -> tuple[list[Choice], list[Choice]]:
    return _read(
        "labels", lambda row, subject: Choice(row["text"], row["fits"], (row["misleading"], row["other"]), subject)
    )


def searches() -> tuple[list[Search], list[Search]]:
    return _read(
        "searches",
        lambda row, subject: Search(
            row["query"],
            row["answer"],
            (row["miss_1"], row["miss_2"], row["miss_3"]),
            row.get("kind", "short"),
            subject,
        ),
    )


def _read(name: str, from_row: Callable[[dict[str, str], str], T]) -> tuple[list[T], list[T]]:
    kept: list[T] = []
    held: list[T] = []
    for path in sorted((DATA / name).glob("*.tsv")):
        rows = [from_row(row, path.stem) for row in read_tsv(path)]
        order = np.random.default_rng(SPLIT).permutation(len(rows))
        count = int(HELD_OUT * len(rows))
        held += [rows[i] for i in sorted(order[:count])]
        kept += [rows[i] for i in sorted(order[count:])]
    return kept, held
