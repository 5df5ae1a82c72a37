"""What a task asks of a checkpoint. Data only: the command line reads it before torch is there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Self

from export.architecture import BERT, Architecture


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
    under None the order of every other checkpoint, absent where it cannot be assumed. `own`: they are the caller's own,
    so that a checkpoint that names them decides their order.
    """

    words: Mapping[str, tuple[str, ...]]
    orders: Mapping[str | None, tuple[str, ...]]
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
        usual = {word: label for label, words in self.labels.words.items() for word in (label.lower(), *words)}
        meanings = [usual.get(name.lower()) for name in given]
        # 负面, 正面: the usual labels under other names. A checkpoint without names has them in the usual order.
        known = self.labels.orders.get(None)
        orders: dict[str | None, tuple[str, ...]] = {}
        if known is not None and sorted(map(str, meanings)) == sorted(known):
            orders[None] = tuple(given[meanings.index(label)] for label in known)
        words = {name: (name.lower(),) for name in given}
        title = "A classifier for Chinese text, with labels of its own"
        return replace(self, logits=len(given), labels=LabelRule(words, orders, own=True), title=title)
