"""Quality figures: of labels, scores, pairs, rankings. Knows labels and numbers; knows no model.

A figure that its rows do not define is nan: the AUC of one kind alone, a correlation with a constant.
"""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Judged = Mapping[str, float]


def accuracy(found: Sequence[Hashable], expected: Sequence[Hashable]) -> float:
    """Share of the labels that are the expected ones."""
    return float(np.mean([label == truth for label, truth in zip(found, expected, strict=True)]))


def confusion(found: Sequence[Hashable], expected: Sequence[Hashable], labels: Sequence[Hashable]) -> np.ndarray:
    """How often [truth, label] came together, int64 [labels, labels]. Raises KeyError for a label not among them."""
    number = {label: index for index, label in enumerate(labels)}
    counts = np.zeros((len(labels), len(labels)), np.int64)
    for label, truth in zip(found, expected, strict=True):
        counts[number[truth], number[label]] += 1
    return counts


def f1(found: Sequence[Hashable], expected: Sequence[Hashable], label: Hashable) -> float:
    """2 TP / (2 TP + FP + FN) of one label (van Rijsbergen, Information Retrieval, 1979); 0 where it never occurs."""
    together = sum(a == label == b for a, b in zip(found, expected, strict=True))
    either = sum(a == label for a in found) + sum(b == label for b in expected)
    return 2 * together / either if either else 0.0


def macro_f1(found: Sequence[Hashable], expected: Sequence[Hashable]) -> float:
    """The mean of each label's F1, over all labels that occur on either side (Sokolova and Lapalme, 2009)."""
    return float(np.mean([f1(found, expected, label) for label in {*found, *expected}]))


@dataclass(frozen=True, slots=True)
class Accuracy:
    """`right` of `rows` labels are the expected ones; `share` is between 0 and 1."""

    rows: int
    right: int

    @property
    def share(self) -> float:
        return self.right / self.rows


def accuracy_by_group(found: Sequence[str], expected: Sequence[str], groups: Sequence[str]) -> dict[str, Accuracy]:
    """The accuracy of each group of rows, in order of first appearance."""
    verdicts: dict[str, list[bool]] = {}
    for label, truth, group in zip(found, expected, groups, strict=True):
        verdicts.setdefault(group, []).append(label == truth)
    return {group: Accuracy(len(rows), sum(rows)) for group, rows in verdicts.items()}


def average_ranks(values: np.ndarray) -> np.ndarray:
    """Ranks from 1, float64; equal values share the mean of their ranks."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return (last - (counts - 1) / 2)[place]


def roc_auc(scores: NDArray[np.float64], positive: NDArray[np.bool_]) -> float:
    """Probability that a positive row outscores a negative one, ties counting half.

    (R - P (P + 1) / 2) / (P N), where R is the positives' sum of average ranks: the Mann-Whitney statistic
    (Hanley and McNeil, Radiology 143, 1982). `positive` is bool.
    """
    ones, zeros = int(positive.sum()), int((~positive).sum())
    if not ones or not zeros:
        return float("nan")
    ranks = average_ranks(scores)[positive].sum()
    return float((ranks - ones * (ones + 1) / 2) / (ones * zeros))


def spearman(first: np.ndarray, second: np.ndarray) -> float:
    """Pearson's correlation of the average ranks (Spearman, 1904)."""
    a, b = (ranks - ranks.mean() for ranks in (average_ranks(first), average_ranks(second)))
    spread = np.sqrt((a * a).sum() * (b * b).sum())
    return float((a * b).sum() / spread) if spread else float("nan")


def best_accuracy(scores: NDArray[np.float64], positive: NDArray[np.bool_]) -> tuple[float, float]:
    """(threshold, accuracy): where calling `scores >= threshold` positive is right most often.

    The threshold lies half-way between two scores; the highest of several equally good ones, and above every
    score where calling nothing positive is best.
    """
    order = np.argsort(-scores, kind="stable")
    ranked, hits = scores[order], positive[order]
    right = np.append(0, np.cumsum(np.where(hits, 1, -1))) + int((~positive).sum())  # with the first i called positive
    cut = np.append(True, np.append(ranked[1:] != ranked[:-1], True))  # not between two equal scores
    best = int(np.argmax(np.where(cut, right, -1)))
    above = ranked[best - 1] if best else np.nextafter(ranked[0], np.inf)
    below = ranked[best] if 0 < best < len(ranked) else above
    return float((above + below) / 2), float(right[best] / len(scores))


def mean_score(scores: NDArray[np.float64], chosen: np.ndarray) -> float:
    """The mean score of the rows `chosen`, bool."""
    return float(scores[chosen].mean()) if chosen.any() else float("nan")


def pair_figures(
    scores: NDArray[np.float64], labels: np.ndarray, highest: int, threshold: float | None
) -> dict[str, float]:
    """Where `highest`, the highest label that there can be, is 1: accuracy and F1 at `threshold`, if there is one, and
    at the best one, and AUC. Where it is a grade: Spearman's correlation, and the AUC of that grade against all others.
    Of both: the mean score of each label.
    """
    means = {f"mean score of {label}": mean_score(scores, labels == label) for label in np.unique(labels)}
    top = labels == highest
    if highest > 1:
        return {"Spearman": spearman(scores, labels), f"AUC of {highest}": roc_auc(scores, top)} | means
    best, _ = best_accuracy(scores, top)
    return {
        **(_at(threshold, scores, top, f"at {threshold:g}") if threshold is not None else {}),
        "best threshold": best,
        **_at(best, scores, top, "at the best"),
        "AUC": roc_auc(scores, top),
        **means,
    }


def _at(threshold: float, scores: NDArray[np.float64], positive: NDArray[np.bool_], where: str) -> dict[str, float]:
    found, expected = (scores >= threshold).tolist(), positive.tolist()
    return {f"accuracy {where}": accuracy(found, expected), f"F1 {where}": f1(found, expected, True)}


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
