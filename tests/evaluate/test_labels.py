import numpy as np
import pytest

from structbert_lite.evaluate.figures import accuracy, confusion, f1, macro_f1

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
