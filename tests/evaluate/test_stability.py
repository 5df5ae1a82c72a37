import numpy as np
import pytest

from structbert_lite.evaluate.stability import (
    measure_stability,
    probability_of,
    sigmoid,
    suggest_threshold,
    threshold_gain,
)

STRONG = np.array([True, True, False, False])


def test_recall_minus_false_alarms() -> None:
    assert threshold_gain(np.array([0.9, 0.7, 0.7, 0.1]), STRONG, 0.7) == 1.0 - 0.5  # at the threshold is above it
    assert threshold_gain(np.array([0.1, 0.1, 0.9, 0.9]), STRONG, 0.7) == -1.0


@pytest.mark.parametrize(
    ("scores", "threshold", "gain"),
    [
        ([0.9, 0.8, 0.2, 0.1], 0.5, 1.0),
        ([0.9, 0.3, 0.5, 0.1], 0.7, 0.5),  # 0.2 would give 0.5 too; the higher one warns less often
        ([0.6, 0.6, 0.6, 0.1], 0.35, 0.5),  # equal scores fall on the same side
        ([0.5, 0.5, 0.5, 0.5], 0.5, 0.0),
    ],
)
def test_the_suggested_threshold_has_the_highest_gain(scores: list[float], threshold: float, gain: float) -> None:
    found = suggest_threshold(np.array(scores), STRONG)
    assert found == pytest.approx((threshold, gain))
    assert threshold_gain(np.array(scores), STRONG, found[0]) == pytest.approx(gain)


def test_no_threshold_beats_the_suggested_one() -> None:
    rng = np.random.default_rng(0)
    scores, strong = rng.random(200).round(2), rng.random(200) < 0.4
    best = max(threshold_gain(scores, strong, threshold) for threshold in np.linspace(0, 1.01, 1011))
    threshold, gain = suggest_threshold(scores, strong)
    assert gain == pytest.approx(best)
    assert threshold_gain(scores, strong, threshold) == pytest.approx(best)


def test_one_kind_alone_is_refused() -> None:
    for strong in (np.ones(2, bool), np.zeros(2, bool)):
        with pytest.raises(ValueError, match="only one kind"):
            suggest_threshold(np.array([0.1, 0.9]), strong)
        with pytest.raises(ValueError, match="only one kind"):
            threshold_gain(np.array([0.1, 0.9]), strong, 0.7)


def test_scores_that_move() -> None:
    scores = np.array([[0.8, 0.6, 0.5, 0.1], [0.8, 0.8, 0.46, 0.1]])
    figures = measure_stability(scores, STRONG)
    assert (figures.delta_lowest, figures.delta_threshold, figures.delta_highest) == (0.5, 0.75, 1.0)
    assert figures.rank_swing == pytest.approx(0.2)
    assert figures.rank_sigma == pytest.approx((0.1 + 0.02) / 4)
    assert figures.outlier_rate == 2 / 8
    assert (figures.threshold, figures.best_delta) == (pytest.approx(0.55), 1.0)


def test_scores_that_do_not_move() -> None:
    figures = measure_stability(np.tile([0.9, 0.55, 0.45, 0.1], (3, 1)), STRONG)
    assert (figures.rank_sigma, figures.rank_swing) == (0.0, 0.0)
    assert figures.delta_lowest == figures.delta_highest == 0.5
    assert figures.outlier_rate == 0.5  # both ends belong to it


def test_probability_is_the_softmax() -> None:
    logits = np.array([[0.0, np.log(3.0)], [1000.0, -1000.0]], np.float32)
    assert probability_of(logits, 1) == pytest.approx([0.75, 0.0])
    assert probability_of(logits, 0) == pytest.approx([0.25, 1.0])


def test_the_sigmoid_overflows_nowhere() -> None:
    logits = np.array([[0.0], [np.log(3.0)], [-1000.0], [1000.0]], np.float32)
    assert sigmoid(logits)[:, 0] == pytest.approx([0.5, 0.75, 0.0, 1.0])
