"""What a task asks of a checkpoint. Data only: the command line reads it before torch is there."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

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
    under None the order of every other checkpoint, absent where it cannot be assumed.
    """

    words: Mapping[str, tuple[str, ...]]
    orders: Mapping[str | None, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Task:
    """One value of --task."""

    name: str
    heads: tuple[Head, ...]
    modelscope: tuple[str, ...]  # values of configuration.json's task that are this one
    title: str  # for the model card
    logits: int = 0  # of its classifier
    labels: LabelRule | None = None  # None: its classifier has one logit, or it has none
    reads_pairs: bool = False  # its classifier does; encoders read single texts
    scores_pairs: bool = False  # its manifest holds a calibration and thresholds
    architectures: tuple[Architecture, ...] = field(default=(BERT,))
