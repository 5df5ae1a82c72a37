"""Platt's line, the thresholds, and where they come from when there are no pairs."""

import json

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs requirements-export.txt")

from export import scores
from export.pairs import LabelledPairs
from export.platt import fit_platt, sigmoid
from export.refusal import ExportRefused
from export.scores import fit_scores, read_scores
from export.thresholds import choose_thresholds


def sample(count: int = 4000) -> tuple[np.ndarray, np.ndarray]:
    """Logits, and labels drawn with the probability sigmoid(3 logit - 1)."""
    rng = np.random.default_rng(0)
    logits = rng.normal(size=count)
    return logits, (rng.random(count) < sigmoid(3 * logits - 1)).astype(int)


def test_platt_finds_the_line_that_made_the_labels():
    assert fit_platt(*sample(40000)) == pytest.approx((3, -1), abs=0.1)


def test_platt_agrees_with_scikit_learn():
    linear_model = pytest.importorskip("sklearn.linear_model", reason="needs requirements-train.txt")
    logits, labels = sample()
    fitted = linear_model.LogisticRegression(C=1e10, tol=1e-10).fit(logits[:, None], labels)
    # Platt's targets are not quite 0 and 1.
    assert fit_platt(logits, labels) == pytest.approx((fitted.coef_[0, 0], fitted.intercept_[0]), abs=0.02)


@pytest.mark.parametrize("factor", [1e-3, 1.0, 1e3])
def test_platt_stays_finite_on_separable_labels_of_any_size(factor):
    logits = np.array([-3.0, -2, -1, 1, 2, 3]) * factor
    scale, bias = fit_platt(logits, [0, 0, 0, 1, 1, 1])
    found = sigmoid(scale * logits + bias)
    assert np.isfinite(found).all()
    assert (found[:3] < 0.5).all()
    assert (found[3:] > 0.5).all()
    assert scale * factor < 100


def test_platt_on_one_value_gives_the_share():
    scale, bias = fit_platt(np.ones(30), [1] * 10 + [0] * 20)
    assert sigmoid(scale + bias) == pytest.approx(1 / 3, abs=0.02)


def test_thresholds_follow_their_rule():
    values = np.array([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9])
    labels = [0, 0, 0, 0, 1, 0, 1, 1, 1]
    chosen = choose_thresholds(values, labels)
    assert (chosen.low, chosen.high) == (0.5, 0.7)
    assert (chosen.precision, chosen.below) == (1.0, 0.0)


def test_lower_precision_is_taken_where_nine_tenths_are_out_of_reach():
    values = np.repeat([0.2, 0.8], 10)
    chosen = choose_thresholds(values, [0] * 9 + [1] + [0] * 3 + [1] * 7)
    assert (chosen.high, chosen.precision) == (0.8, 0.7)
    assert (chosen.low, chosen.below) == (0.8, 0.1)


def test_without_any_precision_the_default():
    chosen = choose_thresholds(np.repeat([0.2, 0.8], 10), [1] + [0] * 19)
    assert (chosen.high, chosen.precision) == (0.7, None)
    assert chosen.low <= chosen.high


def fit(monkeypatch, logits, labels):
    monkeypatch.setattr(scores, "pair_logits", lambda *_: np.asarray(logits, np.float32))
    pairs = [("a", "b")] * len(labels)
    return fit_scores(None, None, None, LabelledPairs(pairs, list(labels)))


def test_calibration_is_recorded(monkeypatch):
    logits, labels = sample()
    calibration, thresholds, facts = fit(monkeypatch, logits, labels)
    assert (calibration.scale, calibration.bias) == pytest.approx((3, -1), abs=0.3)
    assert 0 <= thresholds.low <= thresholds.high <= 1
    assert (facts["source"], facts["pairs"], facts["positives"]) == ("--calibration", 4000, int(labels.sum()))
    assert facts["precision_from_high"] >= 0.9
    assert facts["positives_below_low"] <= 0.1


def test_labels_the_wrong_way_round(monkeypatch):
    logits, labels = sample()
    with pytest.raises(ExportRefused, match="the right way round"):
        fit(monkeypatch, logits, 1 - labels)


def test_what_the_checkpoint_states(tmp_path):
    calibration, thresholds, facts = read_scores(tmp_path)
    assert (calibration.scale, calibration.bias, thresholds.low, thresholds.high) == (1, 0, 0.3, 0.7)
    assert facts == {"source": "none"}
    stated = {"scale": 4, "bias": -1.5, "low": 0.2, "high": 0.8}
    (tmp_path / "calibration.json").write_text(json.dumps(stated))
    calibration, thresholds, facts = read_scores(tmp_path)
    assert (calibration.scale, calibration.bias, thresholds.low, thresholds.high) == (4, -1.5, 0.2, 0.8)
    assert facts == {"source": "calibration.json"}


@pytest.mark.parametrize(
    ("changes", "cause"),
    [
        ({"bias": None}, "numbers scale, bias, low and high"),
        ({"scale": float("nan")}, "numbers scale"),
        ({"scale": -1}, "scale > 0"),
        ({"low": 0.9}, "low <= high"),
    ],
)
def test_a_calibration_that_makes_no_sense(tmp_path, changes, cause):
    stated = {"scale": 4, "bias": -1.5, "low": 0.2, "high": 0.8} | changes
    (tmp_path / "calibration.json").write_text(json.dumps(stated))
    with pytest.raises(ExportRefused, match=cause):
        read_scores(tmp_path)
