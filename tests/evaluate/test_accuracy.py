from structbert_lite.evaluate.figures import Accuracy, accuracy_by_group


def test_groups_are_counted_apart() -> None:
    figures = accuracy_by_group(["a", "b", "b", "a"], ["a", "b", "a", "a"], ["x", "y", "y", "x"])
    assert figures == {"x": Accuracy(2, 2), "y": Accuracy(2, 1)}
    assert (figures["x"].share, figures["y"].share) == (1.0, 0.5)
