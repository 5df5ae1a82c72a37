"""What a task asks of a checkpoint. Data only: the command line reads it before torch is there."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Self

from export.architecture import BERT, Architecture

# Said behind a label: "negative (stars 1, 2 and 3)", "正面情感".
BEHIND = re.compile(r"\s*\(.*\)$|(情感|情绪|评价|评论|倾向)$")


def spelling(name: str) -> str:
    """A label's name as a LabelRule spells it: half width, lower case, without what is said behind it."""
    plain = unicodedata.normalize("NFKC", name).strip().lower()
    return BEHIND.sub("", plain) or plain


class Head(StrEnum):
    """What stands on the encoder."""

    CLASSIFIER = "classifier"  # logits from the first token
    MATCHER = "matcher"  # a linear layer on the features of two vectors
    SPAN = "span"  # logits of where an answer starts and ends: export/span
    NONE = "none"


@dataclass(frozen=True, slots=True)
class LabelRule:
    """The labels of a classifier, and how to tell their order.

    `words`: each label's spellings in lower case. `orders`: configuration.json's task -> the order of its logits;
    under None the order of every other checkpoint, absent where it cannot be assumed. `more`: spellings of what the
    caller's own labels may mean besides. `own`: they are the caller's own, so that a checkpoint that names them decides
    their order.
    """

    words: Mapping[str, tuple[str, ...]]
    orders: Mapping[str | None, tuple[str, ...]]
    more: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    own: bool = False


@dataclass(frozen=True, slots=True)
class Task:
    """One value of --task."""

    name: str
    heads: tuple[Head, ...]
    modelscope: tuple[str, ...]  # values of configuration.json's task that are this one
    title: str  # for the model card
    logits: int = 0  # of its classifier
    labels: LabelRule = LabelRule({}, {})  # of no words: its classifier has one logit, or it has none
    reads_pairs: bool = False  # its classifier does; encoders read single texts
    scores_pairs: bool = False  # its manifest holds a calibration and thresholds
    architectures: tuple[Architecture, ...] = field(default=(BERT,))
    takes_own_labels: bool = False  # its classifier may have other labels than those of `labels`

    def with_labels(self, given: Sequence[str]) -> Self:
        """The task for a classifier of the labels `given`, where it takes other ones than usual and these are other."""
        if not self.takes_own_labels or len(given) < 2 or not all(given) or sorted(given) == sorted(self.labels.words):
            return self
        known = {**self.labels.words, **self.labels.more}
        usual = {word: label for label, words in known.items() for word in (label.lower(), *words)}
        meanings = [usual.get(spelling(name)) for name in given]
        # 负面, 正面: the usual labels under other names. A checkpoint without names has them in the usual order.
        order = self.labels.orders.get(None)
        orders: dict[str | None, tuple[str, ...]] = {}
        if order is not None and sorted(map(str, meanings)) == sorted(order):
            orders[None] = tuple(given[meanings.index(label)] for label in order)
        words = {
            name: (name.lower(), *(known[meaning] if meaning and meanings.count(meaning) == 1 else ()))
            for name, meaning in zip(given, meanings, strict=True)
        }
        title = "A classifier for Chinese text, with labels of its own"
        return replace(self, logits=len(given), labels=LabelRule(words, orders, own=True), title=title)
