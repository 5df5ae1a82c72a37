import math

import numpy as np
import pytest

from structbert_lite.evaluate.figures import average_ranks, best_accuracy, mean_score, roc_auc, spearman

POSITIVE = np.array([True, True, False, False])


def test_equal_values_share_their_rank() -> None:
    assert average_ranks(np.array([3.0, 1.0, 3.0, 2.0, 3.0])).tolist() == [4.0, 1.0, 4.0, 2.0, 4.0]


@pytest.mark.parametrize(
    ("scores", "auc"),
    [([0.9, 0.8, 0.2, 0.1], 1.0), ([0.1, 0.2, 0.8, 0.9], 0.0), ([0.5] * 4, 0.5), ([0.9, 0.5, 0.5, 0.1], 0.875)],
)
def test_auc_counts_ties_half(scores: list[float], auc: float) -> None:
    assert roc_auc(np.array(scores), POSITIVE) == auc


def test_spearman_knows_only_the_order() -> None:
    x = np.array([1.0, 2.0, 3.0, 4.0])
    assert spearman(x, np.exp(x)) == pytest.approx(1.0)
    assert spearman(x, -(x**3)) == pytest.approx(-1.0)
    assert spearman(x, np.array([1.0, 3.0, 2.0, 4.0])) == pytest.approx(1 - 6 * 2 / (4 * 15))


def test_as_scikit_learn_and_scipy_have_it() -> None:
    metrics = pytest.importorskip("sklearn.metrics", reason="needs requirements-train.txt")
    stats = pytest.importorskip("scipy.stats", reason="needs requirements-train.txt")
    rng = np.random.default_rng(0)
    for decimals in (1, 3):  # with many ties and with few
        for _ in range(10):
            scores, grades = rng.random(80).round(decimals), rng.integers(0, 6, 80)
            assert roc_auc(scores, grades > 2) == pytest.approx(metrics.roc_auc_score(grades > 2, scores))
            assert spearman(scores, grades) == pytest.approx(stats.spearmanr(scores, grades).statistic)


def test_what_is_not_defined_is_nan() -> None:
    assert math.isnan(roc_auc(np.array([0.1, 0.9]), np.array([True, True])))
    assert math.isnan(spearman(np.array([1.0, 2.0]), np.array([1.0, 1.0])))
    assert math.isnan(mean_score(np.array([1.0]), np.array([False])))
    assert mean_score(np.array([1.0, 3.0, 9.0]), np.array([True, True, False])) == 2.0


@pytest.mark.parametrize(
    ("scores", "threshold", "share"),
    [
        ([0.9, 0.8, 0.2, 0.1], 0.5, 1.0),
        ([0.9, 0.3, 0.5, 0.1], 0.7, 0.75),
        ([0.6, 0.6, 0.6, 0.1], 0.35, 0.75),  # equal scores fall on the same side
        ([0.5, 0.5, 0.9, 0.9], np.nextafter(0.9, 1), 0.5),  # nothing positive
        ([0.5, 0.5, 0.5, 0.5], np.nextafter(0.5, 1), 0.5),
    ],
)
def test_the_best_threshold(scores: list[float], threshold: float, share: float) -> None:
    found = best_accuracy(np.array(scores), POSITIVE)
    assert found == pytest.approx((threshold, share))
    assert ((np.array(scores) >= found[0]) == POSITIVE).mean() == share


def test_no_threshold_beats_the_best() -> None:
    rng = np.random.default_rng(1)
    for _ in range(20):
        scores, positive = rng.random(50).round(1), rng.random(50) < 0.3
        highest = max(((scores >= t) == positive).mean() for t in np.linspace(0, 1.01, 102))
        threshold, share = best_accuracy(scores, positive)
        assert share == pytest.approx(highest)
        assert ((scores >= threshold) == positive).mean() == pytest.approx(highest)
