"""Short documents for the reranker: texts written for it, and titles of web pages."""

from pathlib import Path

import numpy as np

from training.examples import hold_out_rows, read_tsv
from training.retrieval import Search

OWN = Path(__file__).parent / "data" / "searches"  # written for this project
HELD_OUT = 75  # of each file, to report on
# QBQTC's grades of a query and a page's title: how relevant each one is as a score.
GRADES = {"0": 0.1, "1": 0.7, "2": 0.95}


def read_own_searches(seed: int) -> tuple[list[Search], list[Search]]:
    """(searches to train on, searches held out): a query, the short text that answers it, and texts that do not.

    A held-out search has the three that were written for it: alike in words, alike in topic, anything. Answers
    are mostly the longest of the four, which must not be what is learnt: in training the last two are put together,
    and the answer to another query is the third.
    """
    train, held = [], []
    for rows, kept_back in hold_out_rows(OWN, HELD_OUT, seed):
        held += map(_search, kept_back)
        searches = list(map(_search, rows))
        for search, other in zip(searches, searches[-1:] + searches, strict=False):
            one, two, three = search.negatives
            train.append(Search(search.query, search.positive, (one, two + three, other.positive), "own"))
    return train, held


def read_titles(data: Path, count: int, seed: int) -> tuple[list[tuple[Search, float]], list[tuple[str, str]]]:
    """QBQTC: `count` queries with a relevant title, two of other queries, and its score; and all irrelevant pairs."""
    rows = read_tsv(data / "retrieval" / "qbqtc" / "dev_clean.tsv")
    right = [r for r in rows if r["label"] != "0"]
    rng = np.random.default_rng(seed)
    searches = []
    for i in rng.permutation(len(right))[:count]:
        own = right[i]
        others = [rows[j]["text_b"] for j in rng.integers(len(rows), size=4) if rows[j]["query_id"] != own["query_id"]]
        searches.append((Search(own["text_a"], own["text_b"], tuple(others[:2]), "qbqtc"), GRADES[own["label"]]))
    return searches, [(r["text_a"], r["text_b"]) for r in rows if r["label"] == "0"]


def _search(row: dict[str, str]) -> Search:
    return Search(row["query"], row["answer"], (row["miss_1"], row["miss_2"], row["miss_3"]), "own")
