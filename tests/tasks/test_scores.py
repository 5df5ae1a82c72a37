import math
import unicodedata

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from structbert_lite.tasks.inputs import is_blank
from structbert_lite.tasks.scores import pair_logit, sigmoid, softmax, whole_softmax


@given(st.floats(-50, 50, width=32), st.floats(-50, 50, width=32))
def test_two_probabilities_sum_to_one(a: float, b: float) -> None:
    assert sum(softmax(np.array([a, b], np.float32))) == pytest.approx(1, abs=2e-6)


def test_softmax_of_known_logits() -> None:
    assert softmax(np.array([0.0, np.log(3)], np.float32)) == [0.25, 0.75]


@given(st.lists(st.floats(-50, 50, width=32), min_size=2, max_size=5))
def test_rounded_together_they_sum_to_one(logits: list[float]) -> None:
    found = whole_softmax(logits)
    assert sum(round(share * 10**6) for share in found) == 10**6
    assert found == pytest.approx(softmax(logits), abs=1.001e-6)
    assert all(found[i] >= found[j] for i, a in enumerate(logits) for j, b in enumerate(logits) if a > b)


def test_thirds_sum_to_one() -> None:
    assert softmax([0, 0, 0]) == [0.333333, 0.333333, 0.333333]
    assert whole_softmax([0, 0, 0]) == [0.333334, 0.333333, 0.333333]


def test_logits_that_differ_by_less_than_their_exponentials_show_keep_their_order() -> None:
    higher = math.nextafter(0.1, 1)
    assert whole_softmax([0.1, 0.1, higher]) == [0.333333, 0.333333, 0.333334]


@pytest.mark.parametrize(
    "text", ["", " ", "\n\t", "\u3000", "\x00", "\u200b", "\ufeff \x7f", "\xa0\xad", "\ue000", "\U000e0020", "\u2028"]
)
def test_blank(text: str) -> None:
    assert is_blank(text)


def test_blank_is_what_unicode_calls_control_format_surrogate_private_or_separator() -> None:
    kinds = {"Cc", "Cf", "Cs", "Co", "Zs", "Zl", "Zp"}
    for code in range(0x110000):
        if (kind := unicodedata.category(chr(code))) != "Cn":
            assert is_blank(chr(code)) == (kind in kinds), hex(code)


# The last three are newer than the Unicode of one of the Pythons that this runs under.
@pytest.mark.parametrize("text", ["好", "。", "😡", " a ", "0", "\U0001fa77", "\U0001fae9", "\U0001fae8"])
def test_not_blank(text: str) -> None:
    assert not is_blank(text)


@given(st.floats(-1e6, 1e6))
def test_sigmoid_is_symmetric_and_never_overflows(z: float) -> None:
    assert 0 <= sigmoid(z) <= 1
    assert sigmoid(z) + sigmoid(-z) == pytest.approx(1, abs=2e-6)
    assert sigmoid(z) <= sigmoid(z + 1)


def test_a_pairs_logit_of_one_or_two() -> None:
    assert pair_logit(np.array([0.5], np.float32)) == 0.5
    assert pair_logit(np.array([0.5, 2.0], np.float32)) == 1.5
