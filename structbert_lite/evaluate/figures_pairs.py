"""Figures of scored pairs whose labels are whole numbers: 0 and 1, or grades such as 0 to 5."""

import numpy as np
from numpy.typing import NDArray

from structbert_lite.evaluate.figures import best_accuracy, mean_score, roc_auc, spearman
from structbert_lite.evaluate.figures_labels import accuracy, f1


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
