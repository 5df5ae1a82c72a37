"""A Siamese model that asks a cross-encoder about pairs that look alike."""

import math
from pathlib import Path

import numpy as np
import pytest

from structbert_lite.engine import Engine
from structbert_lite.errors import InvalidModel
from structbert_lite.manifest import MANIFEST_NAME, read_manifest
from structbert_lite.request_context import RequestContext
from structbert_lite.settings import Settings
from structbert_lite.tasks.scores import same_logit
from tests.tiny_models import NLI, make_cross, make_siamese, table

PAIRS = [("怎么退款", "如何申请退款"), ("左转", "右转"), ("今天下雨", "股票大跌"), ("好", "好")]
RULE = {"model": "zero-shot", "asked_from": 0.5, "scale": 2.0, "encoder_scale": 0.5, "bias": 0.25}


def soon() -> RequestContext:
    return RequestContext.within(60)


def make(models: Path, **rule: object) -> Path:
    make_cross(models / "zero-shot", "zero-shot", table(3), labels=NLI)
    digest = read_manifest(models / "zero-shot").digest
    make_siamese(models / "similarity", decider={**RULE, "digest": digest, **rule})
    return models


def test_the_cross_encoder_decides_from_the_score_on_that_the_manifest_states(tmp_path: Path) -> None:
    engine = Engine(Settings(models=make(tmp_path)))
    make_siamese(tmp_path / "plain" / "similarity")
    plain = Engine(Settings(models=tmp_path / "plain"))
    found, alone = (e.predict("similarity", PAIRS, soon()) for e in (engine, plain))
    assert {r.decided_by for r in found} == {"encoder", "cross-encoder"}
    for result, own in zip(found, alone, strict=True):
        assert own.decided_by == "encoder"
        assert (result.decided_by == "cross-encoder") == (own.score >= RULE["asked_from"])
        if result.decided_by == "encoder":
            assert result.score == own.score
    engine.close()
    plain.close()


def test_the_score_is_the_line_through_both_logits_and_the_same_in_both_orders(tmp_path: Path) -> None:
    engine = Engine(Settings(models=make(tmp_path, asked_from=0.0)))
    found = engine.predict("similarity", PAIRS, soon())
    assert found == engine.predict("similarity", PAIRS, soon())
    back = engine.predict("similarity", [(b, a) for a, b in PAIRS], soon())
    assert [r.score for r in found] == [r.score for r in back]
    runner = engine.runners["zero-shot"]
    calibration = engine.manifest("similarity").calibration
    make_siamese(tmp_path / "plain" / "similarity")
    plain = Engine(Settings(models=tmp_path / "plain"))
    for (a, b), result in zip(PAIRS, found, strict=True):
        rows = runner.run([(a, b), (b, a)], soon())
        z = sum(same_logit(row.values, NLI) for row in rows) / 2
        score = plain.predict("similarity", [(a, b)], soon())[0].score
        logit = (math.log(score / (1 - score)) - calibration.bias) / calibration.scale
        expected = 1 / (1 + math.exp(-(2 * z + 0.5 * logit + 0.25)))
        assert result.score == pytest.approx(expected, abs=1e-4)
    engine.close()
    plain.close()


def test_entailment_stands_against_everything_else() -> None:
    assert same_logit([0.0, 0.0, 2.0], NLI) == pytest.approx(2 - math.log(2))
    assert same_logit([1.0, 3.0], ("different", "similar")) == 2
    assert np.isfinite(same_logit([-1e4, 1e4, 0.0], NLI))


def test_without_the_model_that_it_asks_it_is_refused(tmp_path: Path) -> None:
    make(tmp_path)
    (tmp_path / "zero-shot" / MANIFEST_NAME).unlink()
    with pytest.raises(InvalidModel, match=r"asks the model zero-shot, but .* is not a model"):
        Engine(Settings(models=tmp_path))


@pytest.mark.parametrize("load", ["start", "lazy"])
def test_another_model_in_its_place_is_refused(tmp_path: Path, load: str) -> None:
    make(tmp_path, digest="0" * 64)
    with pytest.raises(InvalidModel, match="is not the one it was made for"):
        Engine(Settings(models=tmp_path, load=load))


def test_similarity_alone_loads_the_model_that_it_asks(tmp_path: Path) -> None:
    make(tmp_path)
    engine = Engine(Settings(models=tmp_path, load="lazy"))
    assert not engine.runners
    engine.predict("similarity", PAIRS, soon())
    assert set(engine.runners) == {"similarity", "zero-shot"}
    engine.close()
