import pytest

pytest.importorskip("sklearn", reason="needs requirements-train.txt")

from training.examples import Example
from training.ngrams import judge


def test_a_wrong_label_is_doubted_by_the_rows_around_it() -> None:
    examples = [Example(f"服务真的很差{n}", 0.0) for n in range(60)] + [Example(f"非常满意{n}", 1.0) for n in range(60)]
    wrong = Example("服务真的很差999", 1.0)
    said = judge([*examples, wrong], seed=1)
    assert said.shape == (121,)
    assert said[-1] < 0.5
    assert (said[:60] < 0.5).all()
    assert (said[60:120] > 0.5).all()
