"""What an answer is decided by, against the pipeline that gives it, and the room around it."""

import numpy as np
import pytest

from export.early_exit.rules import Room, ThreeWay, answers, clearance, spread, three_way_of
from structbert_lite.manifest import Manifest, Uncertainty, read_manifest
from structbert_lite.settings import PROJECT
from structbert_lite.tasks.sentiment import SentimentPipeline

UNIT = Room(0.3, 0.4, 0.5)
RNG = np.random.default_rng(3)
LOGITS = RNG.normal(0, 2.5, (4000, 3))


@pytest.fixture(scope="module")
def manifest() -> Manifest:
    return read_manifest(PROJECT / "models" / "sentiment")


@pytest.fixture(scope="module")
def rule(manifest: Manifest) -> ThreeWay:
    found = three_way_of(manifest)
    assert found is not None
    return found


def test_the_answers_are_those_of_the_pipeline(manifest: Manifest, rule: ThreeWay) -> None:
    class Runner:
        def __init__(self) -> None:
            self.manifest = manifest

    pipeline = SentimentPipeline(Runner(), 1)
    for logits, (best, opinion, uncertain) in zip(LOGITS[:500], answers(LOGITS, rule), strict=False):
        row = logits.astype(np.float32)
        two, three = (pipeline._result_of_three("", row, False, neutral) for neutral in (False, True))
        assert (three.label, two.label) == (manifest.labels[best], ("Negative", "Positive")[opinion])
        assert two.uncertain == three.uncertain == bool(uncertain)


def test_a_move_within_the_room_changes_no_answer(rule: ThreeWay) -> None:
    clear = clearance(LOGITS, UNIT, rule)
    moved = LOGITS + RNG.uniform(-1, 1, LOGITS.shape)
    within = spread_of_each(LOGITS, moved, rule) < clear
    assert 500 < within.sum() < len(LOGITS)
    assert (answers(moved, rule) == answers(LOGITS, rule))[within].all()
    assert not (answers(moved, rule) == answers(LOGITS, rule)).all()


def test_of_a_model_with_labels_of_its_own_only_the_best_counts() -> None:
    logits = np.array([[3.0, 1.0, 2.5, 0.0], [0.0, 0.0, 4.0, 1.0]])
    assert clearance(logits, Room(0.5), None) == pytest.approx([1.0, 6.0])
    assert answers(logits, None).tolist() == [[0], [2]]


def test_the_spread_is_that_of_each_difference(rule: ThreeWay) -> None:
    wanted = RNG.normal(0, 2, (20000, 3))
    found = wanted + RNG.normal(0, 0.1, wanted.shape)
    unit = spread(found, wanted, rule)
    assert unit.label == pytest.approx(0.1 * 2**0.5, rel=0.03)
    assert unit.opinion == pytest.approx(0.1 * 2**0.5, rel=0.03)
    assert 0.1 < unit.neutral < 0.1 * 2**0.5
    assert spread(found, wanted, None) == Room(unit.label)


def test_thresholds_at_the_ends_are_no_infinities(manifest: Manifest) -> None:
    ends = manifest.model_copy(update={"uncertainty": Uncertainty(neutral=1.0, margin=1.0)})
    rule = three_way_of(ends)
    assert rule is not None
    assert np.isfinite([rule.neutral, rule.margin]).all()


def spread_of_each(one: np.ndarray, other: np.ndarray, rule: ThreeWay) -> np.ndarray:
    """How far each row moved, in units of UNIT, by the largest of its differences."""
    error = other - one
    label = (error.max(1) - error.min(1)) / UNIT.label
    against, none, for_it = rule.places
    d = np.abs(error[:, for_it] - error[:, against]) / UNIT.opinion
    n = [z[:, none] - np.logaddexp(z[:, against], z[:, for_it]) for z in (one, other)]
    return np.maximum(np.maximum(label, d), np.abs(n[1] - n[0]) / UNIT.neutral)
