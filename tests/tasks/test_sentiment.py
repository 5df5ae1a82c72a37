"""A model that knows Neutral, on logits written by hand; the default model is in tests/web/test_api.py."""

import itertools
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from structbert_lite.cache.memory import ModelOutput
from structbert_lite.engine import Engine
from structbert_lite.errors import InvalidInput
from structbert_lite.inference.tokenizer import Tokenizer
from structbert_lite.manifest import THREE_WAY, Manifest, Uncertainty, read_manifest
from structbert_lite.request_context import RequestContext
from structbert_lite.results import Classification
from structbert_lite.settings import Settings
from structbert_lite.tasks.sentiment import SentimentPipeline
from tests.tiny_models import TOKENIZER, make_cross, make_three_way, table

ORDERS = list(itertools.permutations(THREE_WAY))
LOGITS = st.tuples(*[st.floats(-30, 30, width=32)] * 3)
SHARES = st.floats(0, 1).map(lambda share: round(share, 3))


class Written:
    """A ModelRunner that gives the same logits for every text."""

    tokenizer = Tokenizer(TOKENIZER, 512)

    def __init__(self, manifest: Manifest, logits: Sequence[float]) -> None:
        self.manifest = manifest
        self._row = ModelOutput(np.array(logits, np.float32), False)

    def run(self, inputs: list, context: RequestContext) -> list[ModelOutput]:
        return [self._row for _ in inputs]


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Manifest:
    folder = tmp_path_factory.mktemp("models") / "three"
    make_three_way(folder)
    return read_manifest(folder)


def ask(
    manifest: Manifest,
    logits: Sequence[float],
    *,
    order: Sequence[str] = THREE_WAY,
    doubt: Uncertainty | None = None,
    usual: bool = False,
    neutral: bool | None = None,
) -> Classification:
    """The answer to logits of THREE_WAY by a model that has them in `order`."""
    by_label = dict(zip(THREE_WAY, logits, strict=True))
    facts = manifest.model_copy(update={"labels": tuple(order), "uncertainty": doubt})
    pipeline = SentimentPipeline(Written(facts, [by_label[label] for label in order]), 8, usual)
    (result,) = pipeline.predict(["好"], RequestContext(), neutral=neutral)
    return result


@given(LOGITS, st.sampled_from(ORDERS))
def test_an_opinion_is_told_by_the_two_logits(manifest: Manifest, logits: tuple, order: tuple) -> None:
    result = ask(manifest, logits, order=order)
    assert list(result.probabilities) == ["Negative", "Positive"]
    assert sum(result.probabilities.values()) == pytest.approx(1, abs=2e-6)
    expected = 1 / (1 + math.exp(logits[0] - logits[2]))
    assert result.probabilities["Positive"] == pytest.approx(expected, abs=1e-6)
    assert result.score == result.probabilities[result.label] == max(result.probabilities.values())


@given(LOGITS, st.sampled_from(ORDERS))
def test_where_it_may_be_neutral_there_are_three(manifest: Manifest, logits: tuple, order: tuple) -> None:
    result = ask(manifest, logits, order=order, neutral=True)
    assert list(result.probabilities) == ["Negative", "Neutral", "Positive"]
    assert sum(round(share * 10**6) for share in result.probabilities.values()) == 10**6
    powers = [math.exp(z - max(logits)) for z in logits]
    assert list(result.probabilities.values()) == pytest.approx([p / sum(powers) for p in powers], abs=1.001e-6)
    assert result.score == result.probabilities[result.label] == max(result.probabilities.values())
    assert result.neutral == result.probabilities["Neutral"]


@given(LOGITS, st.builds(Uncertainty, neutral=SHARES, margin=SHARES), st.sampled_from(ORDERS))
def test_uncertain_is_what_the_numbers_of_the_answer_say(
    manifest: Manifest, logits: tuple, doubt: Uncertainty, order: tuple
) -> None:
    result = ask(manifest, logits, order=order, doubt=doubt)
    margin = abs(result.probabilities["Positive"] - result.probabilities["Negative"])
    assert result.uncertain is (result.neutral >= doubt.neutral or round(margin, 6) < doubt.margin)
    three = ask(manifest, logits, order=order, doubt=doubt, neutral=True)
    assert (three.neutral, three.uncertain) == (result.neutral, result.uncertain)


LN3, LN9 = math.log(3), math.log(9)
BY_HAND = [
    # logits of Negative, Neutral, Positive; thresholds; neutral; uncertain
    ((0, -9, 0), None, 0.000062, True),  # no margin
    ((0, -9, 5), None, 0.000001, False),
    ((0, -30, LN3 + 1e-3), None, 0.0, False),  # 0.75 against 0.25, and a little
    ((0, -30, LN3 - 1e-3), None, 0.0, True),
    ((0, 8, 5), None, 0.95227, True),  # a clear opinion, if there were one
    ((0, 0, -30), None, 0.5, True),  # exactly the threshold
    ((0, -LN9, -30), None, 0.1, False),
    ((0, -LN9, -30), Uncertainty(neutral=0.1), 0.1, True),
    ((0, -30, LN9), Uncertainty(margin=0.8), 0.0, False),  # exactly the margin
    ((0, -30, LN9), Uncertainty(margin=0.81), 0.0, True),
    ((0, 30, 0), Uncertainty(neutral=1, margin=0), 1.0, True),
    ((0, 0, 0), Uncertainty(neutral=0.4, margin=0), 0.333333, False),
]


@pytest.mark.parametrize(("logits", "doubt", "neutral", "uncertain"), BY_HAND)
def test_logits_by_hand(
    manifest: Manifest, logits: tuple, doubt: Uncertainty | None, neutral: float, uncertain: bool
) -> None:
    result = ask(manifest, logits, doubt=doubt)
    assert result.neutral == pytest.approx(neutral, abs=1e-6)
    assert result.uncertain is uncertain


@pytest.mark.parametrize(
    ("usual", "asked", "label"),
    [
        (False, None, "Positive"),
        (False, True, "Neutral"),
        (True, None, "Neutral"),
        (True, False, "Positive"),
        (True, True, "Neutral"),
    ],
)
def test_a_call_goes_before_what_is_usual(manifest: Manifest, usual: bool, asked: bool | None, label: str) -> None:
    assert ask(manifest, (0, 2, 1), usual=usual, neutral=asked).label == label


def test_a_model_without_the_class_is_as_it_was(tmp_path: Path) -> None:
    make_cross(tmp_path / "own", "sentiment", table(3), kind="classifier", labels=["Neutral", "Mixed", "Positive"])
    logits = [0.0, 1.0, 2.0]
    for usual in (False, True):
        pipeline = SentimentPipeline(Written(read_manifest(tmp_path / "own"), logits), 8, usual)
        (result,) = pipeline.predict(["好"], RequestContext())
        assert list(result.probabilities) == ["Neutral", "Mixed", "Positive"]
        assert (result.neutral, result.uncertain) == (None, None)
        assert pipeline.predict(["好"], RequestContext(), neutral=False) == [result]
        with pytest.raises(InvalidInput, match="no such class") as caught:
            pipeline.predict([], RequestContext(), neutral=True)
        assert caught.value.field == "neutral"


@pytest.mark.parametrize(("usual", "label"), [(False, "Negative"), (True, "Neutral")])
def test_the_engine_has_what_is_usual_from_the_settings(tmp_path: Path, usual: bool, label: str) -> None:
    make_three_way(tmp_path / "three")
    engine = Engine(Settings(models=tmp_path, sentiment_neutral=usual))
    assert [result.label for result in engine.predict("sentiment", ["门门门坏", "好"], RequestContext())] == [
        label,
        "Positive",
    ]
    engine.close()
