"""Paraphrases with few characters in common, and look-alikes with another meaning: written for this project."""

from pathlib import Path

from training.examples import hold_out_rows
from training.pairs import Pair, Triple

OWN = Path(__file__).parent / "data" / "paraphrases"
HELD_OUT = 75  # of each file, to report on
SOURCE = "paraphrases written for this project"


def read_paraphrases(seed: int) -> tuple[list[Triple], list[Triple]]:
    """(triples to train on, triples held out): a text, another of its meaning, and one that only looks like it."""
    train, held = [], []
    for rows, kept_back in hold_out_rows(OWN, HELD_OUT, seed):
        train += map(_triple, rows)
        held += map(_triple, kept_back)
    trained_on = {t.query for t in train}
    return train, [t for t in held if t.query not in trained_on]


def as_pairs(triples: list[Triple]) -> list[Pair]:
    """Each triple as two pairs: the same meaning, and another one."""
    return [
        pair
        for t in triples
        for pair in (Pair(t.query, t.positive, 1.0, t.source), Pair(t.query, t.negative, 0.0, t.source))
    ]


def _triple(row: dict[str, str]) -> Triple:
    return Triple(row["text"], row["same"], row["other"], SOURCE)
