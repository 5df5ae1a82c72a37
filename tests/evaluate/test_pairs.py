import numpy as np
import pytest

from structbert_lite.evaluate.figures import pair_figures

SCORES = np.array([0.9, 0.45, 0.4, 0.2])


def test_two_labels() -> None:
    figures = pair_figures(SCORES, np.array([1, 1, 0, 0]), 1, 0.5)
    assert figures == pytest.approx(
        {
            "accuracy at 0.5": 0.75,
            "F1 at 0.5": 2 / 3,
            "best threshold": 0.425,
            "accuracy at the best": 1.0,
            "F1 at the best": 1.0,
            "AUC": 1.0,
            "mean score of 0": 0.3,
            "mean score of 1": 0.675,
        }
    )
    assert "accuracy at 0.5" not in pair_figures(SCORES, np.array([1, 1, 0, 0]), 1, None)


def test_grades() -> None:
    figures = pair_figures(SCORES, np.array([2, 1, 1, 0]), 2, 0.5)
    assert list(figures) == ["Spearman", "AUC of 2", "mean score of 0", "mean score of 1", "mean score of 2"]
    assert figures["AUC of 2"] == 1.0
    assert figures["mean score of 1"] == pytest.approx(0.425)


def test_a_part_with_one_label_keeps_its_figures() -> None:
    figures = pair_figures(SCORES, np.zeros(4, int), 2, 0.5)
    assert np.isnan([figures.pop("Spearman"), figures.pop("AUC of 2")]).all()
    assert figures == pytest.approx({"mean score of 0": 0.4875})
