"""A pretrained encoder with a unigram vocabulary, from wherever it came."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch


@dataclass(frozen=True, slots=True)
class Pretrained:
    """A BERT with SentencePiece's pieces, before its vocabulary is folded."""

    name: str
    licence: str
    sha256: str  # of the file with the weights
    config: dict[str, Any]  # as config.json names it
    state: dict[str, torch.Tensor]  # float32, by transformers' names in BertModel
    pieces: list[
        tuple[str, float]
    ]  # piece and log probability, by row of the word table; <s>, <pad>, </s>, <unk> first
    normalize: Callable[[str], str]  # of one character: what the vocabulary's own normalizer makes of it
