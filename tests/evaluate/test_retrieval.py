import math

import numpy as np
import pytest

from structbert_lite.evaluate.figures import ndcg_at, recall_at, reciprocal_rank, retrieval_figures

JUDGED = {"a": 1, "b": 1, "z": 0}


def test_known_values() -> None:
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
