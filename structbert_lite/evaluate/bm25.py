"""BM25, the baseline that a ranking model has to beat; imported only where documents are ranked.

Chinese has no spaces, and a segmenter would be a dependency with a dictionary of its own. Single characters and pairs
of neighbours together ranked better than either alone on every collection tried (nDCG@10, CMRC 2018's dev questions:
0.980 against 0.946 and 0.978; medical questions and answers: 0.275 against 0.251 and 0.249).
"""

import re
import unicodedata
from collections.abc import Mapping
from itertools import pairwise

import bm25s
import numpy as np

# Runs of Han characters and kana; outside of them, words of letters and digits.
_CHINESE = re.compile(r"([\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U000323af]+)")
_WORD = re.compile(r"[^\W_]+")


def split_terms(text: str) -> list[str]:
    """Each character and each pair of neighbours of Chinese, each word of anything else; NFKC, lower case."""
    terms: list[str] = []
    for i, part in enumerate(_CHINESE.split(unicodedata.normalize("NFKC", text).lower())):
        if i % 2:
            terms += [*part, *map("".join, pairwise(part))]
        else:
            terms += _WORD.findall(part)
    return terms


class Bm25:
    """Documents by id, ready to be ranked: Lucene's variant, k1 1.5 and b 0.75, through bm25s."""

    def __init__(self, documents: Mapping[str, str]) -> None:
        self._names = list(documents)
        self._index = bm25s.BM25(k1=1.5, b=0.75, method="lucene")
        self._index.index([split_terms(text) for text in documents.values()], show_progress=False)

    def rank(self, query: str, count: int) -> list[str]:
        """Ids of the `count` documents with the highest scores, equal ones in the documents' order."""
        terms = split_terms(query)
        # The library cannot score a query without terms.
        scores = self._index.get_scores(terms) if terms else np.zeros(len(self._names))
        return [self._names[i] for i in np.argsort(-scores, kind="stable")[:count]]
