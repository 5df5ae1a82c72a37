"""Cells made into rows that can be learned from, and what was wrong with them."""

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from training.finetune.refusal import FinetuneRefused

NUMBER = re.compile(r"[+-]?\d+(\.\d+)?")
INVISIBLE = dict.fromkeys(map(ord, "\ufeff\u200b\u200c\u200d\u2060"))
NAMED = 5  # labels named in a message at the most


class Row(NamedTuple):
    """A text and its label."""

    text: str
    label: str


def clean(
    cells: Sequence[tuple[str, str]], renames: Mapping[str, str], where: str, say: Callable[[str], None]
) -> list[Row]:
    """Rows with distinct texts, labels without stray spaces and under their new names.

    Of a text that occurs several times the label that most of its rows have is kept; where there is a tie it is left
    out. `say` is told the count of everything that was changed. Raises FinetuneRefused when no row is left.
    """
    stripped = [(text.strip(), " ".join(label.translate(INVISIBLE).split())) for text, label in cells]
    spaced = sum(old[1] != new[1] for old, new in zip(cells, stripped, strict=True) if new[1])
    if spaced:
        say(f"{where}: {_count(spaced, 'label')} with stray spaces mended")
    whole = [Row(text, renames.get(label, label)) for text, label in stripped if text and label]
    if len(whole) < len(cells):
        say(f"{where}: {_count(len(cells) - len(whole), 'row')} without a text or without a label left out")
    if not whole:
        raise FinetuneRefused(f"{where} has no row with both a text and a label")
    by_text: dict[str, Counter[str]] = {}
    for row in whole:
        by_text.setdefault(row.text, Counter())[row.label] += 1
    doubted = {text: labels for text, labels in by_text.items() if len(labels) > 1}
    tied = {text for text, labels in doubted.items() if _is_tied(labels)}
    if len(whole) - len(by_text):
        say(f"{where}: {_count(len(whole) - len(by_text), 'row')} with a text that had occurred before left out")
    if doubted:
        example = next(iter(doubted.items()))
        say(
            f"{where}: warning: {_count(len(doubted), 'text')} with different labels, for example {example[0][:20]!r} "
            f"({', '.join(example[1])}); {len(doubted) - len(tied)} keep the label of most of their rows, "
            f"{len(tied)} are left out"
        )
    if len(tied) == len(by_text):
        raise FinetuneRefused(f"{where} has no text with one label: each has as many rows of one label as of another")
    return [Row(text, labels.most_common(1)[0][0]) for text, labels in by_text.items() if text not in tied]


def choose_labels(rows: Sequence[Row], least: int, drop_rare: bool, say: Callable[[str], None]) -> tuple[str, ...]:
    """The labels of `rows` that have `least` rows or more, in order: numbers by value, others by their characters.

    Raises FinetuneRefused where fewer than two are left, where a label is rarer and `drop_rare` is false, and where
    two labels differ only in case or width.
    """
    counts = Counter(row.label for row in rows)
    alike: dict[str, str] = {}
    for label in counts:
        other = alike.setdefault(unicodedata.normalize("NFKC", label).casefold(), label)
        if other != label:
            raise FinetuneRefused(
                f"the labels {other!r} and {label!r} differ only in case or width; make one of them with "
                f"--rename {label}={other}"
            )
    if len(counts) < 2:
        raise FinetuneRefused(f"every row has the label {next(iter(counts))!r}; a classifier needs two labels or more")
    rare = [f"{label!r} ({count})" for label, count in counts.items() if count < least]
    if rare:
        named = ", ".join(rare[:NAMED]) + (f" and {len(rare) - NAMED} more" if len(rare) > NAMED else "")
        if not drop_rare:
            many = "; is this the right --label-column?" if len(rare) > len(counts) / 2 else ""
            raise FinetuneRefused(
                f"{_count(len(rare), 'label')} of {len(counts)} with fewer than {least} different texts each: {named}; "
                f"add rows, or leave such labels out with --drop-rare{many}"
            )
        say(f"{_count(len(rare), 'label')} with fewer than {least} texts left out: {named}")
    labels = [label for label, count in counts.items() if count >= least]
    if len(labels) < 2:
        raise FinetuneRefused(f"{_count(len(labels), 'label')} left; a classifier needs two labels or more")
    return tuple(sorted(labels, key=_place))


def split(rows: Sequence[Row], share: float, seed: int) -> tuple[list[Row], list[Row]]:
    """(rows to learn from, dev rows): of each label `share` of its rows, at least one, are dev rows."""
    order = np.random.default_rng(seed).permutation(len(rows))
    by_label: dict[str, list[int]] = {}
    for i in order:
        by_label.setdefault(rows[i].label, []).append(int(i))
    dev = {i for members in by_label.values() for i in members[: max(1, round(len(members) * share))]}
    return [row for i, row in enumerate(rows) if i not in dev], [rows[i] for i in sorted(dev)]


def _place(label: str) -> tuple[bool, float, str]:
    number = NUMBER.fullmatch(label)
    return not number, float(label) if number else 0, label


def _is_tied(labels: Counter[str]) -> bool:
    (_, first), (_, second) = labels.most_common(2)
    return first == second


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" + ("s" if number != 1 else "")
