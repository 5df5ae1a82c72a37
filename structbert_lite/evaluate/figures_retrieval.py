"""Figures of rankings. `judged` are the grades of one query's documents by id; one that is not judged has grade 0."""

from collections.abc import Mapping, Sequence

import numpy as np

Judged = Mapping[str, float]


def ndcg_at(k: int, ranked: Sequence[str], judged: Judged) -> float:
    """DCG of the first k documents over the highest that the judged ones allow.

    DCG = sum over ranks i of grade / log2(i + 1) (Järvelin and Kekäläinen, TOIS 20, 2002; the linear gain of
    trec_eval). 0 where no document has a grade.
    """
    ideal = _dcg(sorted(judged.values(), reverse=True)[:k])
    return _dcg([judged.get(name, 0.0) for name in ranked[:k]]) / ideal if ideal else 0.0


def reciprocal_rank(k: int, ranked: Sequence[str], judged: Judged) -> float:
    """1 / rank of the first relevant document among the first k; 0 where there is none (Voorhees, TREC-8, 1999)."""
    return next((1 / rank for rank, name in enumerate(ranked[:k], start=1) if judged.get(name, 0) > 0), 0.0)


def recall_at(k: int, ranked: Sequence[str], judged: Judged) -> float:
    """Share of the relevant documents that stand among the first k; 0 where there are none."""
    relevant = {name for name, grade in judged.items() if grade > 0}
    return len(relevant.intersection(ranked[:k])) / len(relevant) if relevant else 0.0


def retrieval_figures(
    rankings: Mapping[str, Sequence[str]], judgements: Mapping[str, Judged], k: int = 10
) -> dict[str, float]:
    """nDCG, MRR and recall at k, each the mean over the queries of `rankings`."""
    pairs = [(ranked, judgements[query]) for query, ranked in rankings.items()]
    figures = {"nDCG": ndcg_at, "MRR": reciprocal_rank, "Recall": recall_at}
    return {f"{name}@{k}": float(np.mean([figure(k, *pair) for pair in pairs])) for name, figure in figures.items()}


def _dcg(grades: Sequence[float]) -> float:
    return float(sum(grade / np.log2(rank + 1) for rank, grade in enumerate(grades, start=1)))
