"""Figures of labels, scores, pairs and rankings against known values."""

import math

import numpy as np
import pytest

from structbert_lite.evaluate.figures import (
    Accuracy,
    accuracy,
    accuracy_by_group,
    average_ranks,
    best_accuracy,
    confusion,
    f1,
    macro_f1,
    mean_score,
    ndcg_at,
    pair_figures,
    recall_at,
    reciprocal_rank,
    retrieval_figures,
    roc_auc,
    spearman,
)

FOUND = ["a", "a", "b", "b", "c", "a"]
EXPECTED = ["a", "b", "b", "c", "c", "a"]


def test_known_values() -> None:
    assert accuracy(FOUND, EXPECTED) == pytest.approx(4 / 6)
    assert f1(FOUND, EXPECTED, "a") == pytest.approx(2 * 2 / (3 + 2))
    assert f1(FOUND, EXPECTED, "d") == 0.0
    assert macro_f1(FOUND, EXPECTED) == pytest.approx((4 / 5 + 1 / 2 + 2 / 3) / 3)
    assert confusion(FOUND, EXPECTED, "abc").tolist() == [[2, 0, 0], [1, 1, 0], [0, 1, 1]]


def test_a_label_on_one_side_only_counts_as_zero() -> None:
    assert macro_f1(["a", "x"], ["a", "a"]) == pytest.approx((2 / 3) / 2)


def test_as_scikit_learn_has_it() -> None:
    metrics = pytest.importorskip("sklearn.metrics", reason="needs requirements-train.txt")
    rng = np.random.default_rng(0)
    for _ in range(20):
        found, expected = rng.integers(0, 5, (2, 60)).tolist()
        assert accuracy(found, expected) == pytest.approx(metrics.accuracy_score(expected, found))
        assert macro_f1(found, expected) == pytest.approx(metrics.f1_score(expected, found, average="macro"))
        assert (confusion(found, expected, range(5)) == metrics.confusion_matrix(expected, found)).all()


def test_rows_that_do_not_match_are_refused() -> None:
    with pytest.raises(ValueError, match="longer"):
        accuracy(["a"], ["a", "b"])


def test_groups_are_counted_apart() -> None:
    figures = accuracy_by_group(["a", "b", "b", "a"], ["a", "b", "a", "a"], ["x", "y", "y", "x"])
    assert figures == {"x": Accuracy(2, 2), "y": Accuracy(2, 1)}
    assert (figures["x"].share, figures["y"].share) == (1.0, 0.5)


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


JUDGED = {"a": 1, "b": 1, "z": 0}


def test_known_values_of_rankings() -> None:
    ranked = ["x", "a", "y", "b"]
    ideal = 1 + 1 / math.log2(3)
    assert ndcg_at(10, ranked, JUDGED) == pytest.approx((1 / math.log2(3) + 1 / math.log2(5)) / ideal)
    assert ndcg_at(2, ranked, JUDGED) == pytest.approx(1 / math.log2(3) / ideal)
    assert reciprocal_rank(10, ranked, JUDGED) == 0.5
    assert reciprocal_rank(1, ranked, JUDGED) == 0.0
    assert recall_at(2, ranked, JUDGED) == 0.5
    assert recall_at(10, ranked, JUDGED) == 1.0


def test_a_judged_document_without_a_grade_is_not_relevant() -> None:
    assert reciprocal_rank(10, ["z", "a"], JUDGED) == 0.5
    assert recall_at(1, ["z"], JUDGED) == 0.0


def test_a_query_without_relevant_documents_counts_as_nothing() -> None:
    assert [figure(10, ["z"], {"z": 0}) for figure in (ndcg_at, reciprocal_rank, recall_at)] == [0.0, 0.0, 0.0]


def test_the_mean_over_the_queries() -> None:
    figures = retrieval_figures({"p": ["a", "x"], "q": ["x", "c"]}, {"p": {"a": 1}, "q": {"c": 2}})
    assert figures == pytest.approx({"nDCG@10": (1 + 1 / math.log2(3)) / 2, "MRR@10": 0.75, "Recall@10": 1.0})


def test_ndcg_as_scikit_learn_has_it() -> None:
    metrics = pytest.importorskip("sklearn.metrics", reason="needs requirements-train.txt")
    rng = np.random.default_rng(0)
    for k in (3, 10):
        grades, scores = rng.integers(0, 4, 20), rng.permutation(20)
        ranked = [str(i) for i in np.argsort(-scores)]
        judged = {str(i): float(grade) for i, grade in enumerate(grades)}
        assert ndcg_at(k, ranked, judged) == pytest.approx(metrics.ndcg_score([grades], [scores], k=k))
