import pytest

pytest.importorskip("sklearn", reason="needs requirements-train.txt")

from training.examples import Example
from training.ngrams import judge
from training.synthetic import make_examples


def test_a_wrong_label_is_doubted_by_the_rows_around_it() -> None:
    examples = [Example(f"服务真的很差{n}", 0.0) for n in range(60)] + [Example(f"非常满意{n}", 1.0) for n in range(60)]
    wrong = Example("服务真的很差999", 1.0)
    own, others = judge([*examples, wrong], ["服务很差", "满意"], seed=1)
    assert own[-1] < 0.5
    assert others[0] < 0.5 < others[1]


def test_without_other_texts() -> None:
    own, others = judge(make_examples(200, seed=1), [], seed=1)
    assert (len(own), len(others)) == (200, 0)
