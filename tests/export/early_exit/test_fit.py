"""Heads without labels, and where they may be believed."""

import numpy as np
import pytest

from export.early_exit.fit import choose_exits, fit_head
from export.early_exit.rules import Room, answers

SECONDS = [0.1, 1.1, 2.1, 3.1, 4.1]


def softmax(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits)
    return powers / powers.sum(1, keepdims=True)


@pytest.fixture(scope="module")
def texts() -> tuple[np.ndarray, np.ndarray]:
    """What an exit reads, and logits of which it tells most."""
    rng = np.random.default_rng(0)
    read = rng.normal(2, [1] * 20 + [30] * 20, (3000, 40))
    weight = rng.normal(0, 0.4, (3, 40)) / read.std(axis=0)
    return read, (read - 2) @ weight.T + rng.normal(0, 0.3, (3000, 3)) + [0, 1, 0]


def test_a_head_tells_new_texts(texts) -> None:
    read, wanted = texts
    head = fit_head(read[:2000], wanted[:2000], None)
    error = head.logits(read[2000:]) - wanted[2000:]
    assert error.std() == pytest.approx(0.3, rel=0.1)
    assert head.unit.label == pytest.approx(0.3 * 2**0.5, rel=0.1)  # as of texts that it had not seen


def test_few_texts_do_not_make_it_believe_itself(texts) -> None:
    read, wanted = texts
    head = fit_head(read[:60], wanted[:60], None)
    there = (head.logits(read[:60]) - wanted[:60]).std()
    new = (head.logits(read[2000:]) - wanted[2000:]).std()
    assert there < new
    assert head.unit.label / 2**0.5 == pytest.approx(new, rel=0.35)


def test_its_probabilities_are_the_models_on_average() -> None:
    rng = np.random.default_rng(1)
    read = rng.normal(size=(4000, 4))
    wanted = read @ rng.normal(0, 1.5, (4, 3)) + rng.normal(0, 1.5, (4000, 3))  # half of it cannot be told
    head = fit_head(read[:2000], wanted[:2000], None)
    found, truth = softmax(head.logits(read[2000:])), softmax(wanted[2000:])
    best = found.argmax(1)
    rows = np.arange(2000)
    sure = found[rows, best] > 0.9
    assert found[rows, best][sure].mean() == pytest.approx(truth[rows, best][sure].mean(), abs=0.04)


def choose(noise: dict[int, float], agreement: float = 0.99):
    rng = np.random.default_rng(2)
    wanted = rng.normal(0, 3, (4000, 2))
    said = {layer: wanted + rng.normal(0, size, wanted.shape) for layer, size in noise.items()}
    units = {layer: Room(size * 2**0.5) for layer, size in noise.items()}
    choice = choose_exits(said, units, wanted, SECONDS, agreement, None)
    if choice is None:
        return None, 1.0
    answer, stay = answers(wanted, None).copy(), np.ones(len(wanted), bool)
    for layer, threshold in choice.thresholds.items():
        values = said[layer]
        leaves = stay & (np.abs(values[:, 0] - values[:, 1]) / units[layer].label > threshold)
        answer[leaves] = answers(values, None)[leaves]
        stay &= ~leaves
    return choice, float((answer == answers(wanted, None)).mean())


def test_the_agreement_is_kept_and_time_is_saved() -> None:
    choice, agreement = choose({1: 4.0, 2: 1.0, 3: 0.1})
    assert choice is not None
    assert 0.99 <= agreement < 1
    assert choice.cost < 0.8


def test_a_layer_that_tells_nothing_is_no_exit() -> None:
    choice, _ = choose({1: 1000.0, 2: 0.5, 3: 0.45})
    assert choice is not None
    assert 1 not in choice.thresholds
    assert 2 in choice.thresholds


def test_nothing_is_chosen_where_nothing_pays() -> None:
    assert choose({1: 1000.0, 2: 1000.0, 3: 1000.0}, 0.9999) == (None, 1.0)
