"""Word overlap of a query and a document with a fixed table of term weights, so that no other document plays a part.

A term is a Han character, two that are neighbours, or a word or number in other letters; the model's own tokenizer
folds the texts first. Weights are inverse document frequencies of background texts, in a table of hashed terms.
"""

import itertools
import re
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from structbert_lite.errors import InvalidModel
from structbert_lite.manifest import LEXICAL_NAME, Lexical

HAN = "\u3400-\u4dbf\u4e00-\u9fff"
PARTS = re.compile(f"[{HAN}]+|[^\\W_{HAN}]+")
K1, B = 1.2, 0.75  # of BM25 (Robertson and Zaragoza 2009)


class WordOverlap:
    """Fuses a reranker's logit with two shares of the query's terms: plain, and with BM25's saturation."""

    def __init__(self, idf: NDArray[np.float32], facts: Lexical, fold: Callable[[str], str]) -> None:
        """`idf`: float32 [buckets]; `fold`: the tokenizer's normalization of a text."""
        self._idf, self._facts, self._fold = idf, facts, fold

    @classmethod
    def load(cls, folder: Path, facts: Lexical, fold: Callable[[str], str]) -> Self:
        """The table of the model in `folder`. Raises InvalidModel with the file's name."""
        path = folder / LEXICAL_NAME
        try:
            with np.load(path, allow_pickle=False) as arrays:
                idf = arrays["idf"]
        except (OSError, KeyError, ValueError, AttributeError, EOFError, zipfile.BadZipFile) as error:
            raise InvalidModel(f"{path} is no table of term weights: {error}") from None
        if idf.ndim != 1 or not len(idf) or idf.dtype != np.float32 or not np.isfinite(idf).all() or (idf < 0).any():
            raise InvalidModel(f"{path} holds {idf.dtype} {list(idf.shape)}, not finite float32 [buckets] from 0 on")
        return cls(idf, facts, fold)

    def fuse(self, logit: float, query: str, document: str) -> float:
        """The logit of "relevant"; without a term in the query the shares are 0."""
        share, saturation = overlap(self._fold(query), self._fold(document), self._idf, self._facts.average_length)
        facts = self._facts
        return facts.logit_scale * logit + facts.share * share + facts.saturation * saturation + facts.bias


def overlap(query: str, document: str, idf: NDArray[np.float32], average_length: float) -> tuple[float, float]:
    """Of the query's terms, weighted, the share that the folded document has, and that share with BM25's saturation."""
    wanted = dict.fromkeys(terms(query))
    found = Counter(terms(document))
    weights = {term: float(idf[bucket(term, len(idf))]) for term in wanted}
    total = sum(weights.values())
    if not total:
        return 0.0, 0.0
    norm = K1 * (1 - B + B * found.total() / average_length)
    share = sum(weight for term, weight in weights.items() if term in found)
    saturation = sum(weight * found[term] * (K1 + 1) / (found[term] + norm) for term, weight in weights.items())
    return share / total, saturation / (total * (K1 + 1))


def terms(folded: str) -> Iterator[str]:
    """The terms of a folded text, as often as they stand in it."""
    for part in PARTS.findall(folded):
        if "\u3400" <= part[0] <= "\u9fff":
            yield from part
            yield from map("".join, itertools.pairwise(part))
        else:
            yield part


def bucket(term: str, buckets: int) -> int:
    """The place of a term in a table; the same on every machine."""
    return zlib.crc32(term.encode()) % buckets
