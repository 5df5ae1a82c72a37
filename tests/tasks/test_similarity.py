import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from structbert_lite.engine import Engine
from structbert_lite.errors import InvalidInput, InvalidModel, TooManyItems
from structbert_lite.manifest import MATCHER_NAME, read_manifest
from structbert_lite.request_context import RequestContext
from structbert_lite.settings import Settings
from structbert_lite.tasks.matcher import PairMatcher
from tests.tiny_models import make_cross, make_siamese, table

THRESHOLDS = {"low": 0.45, "high": 0.55}
FEATURES = ("u", "v", "abs_diff", "product")
PAIRS = [("怎么退款", "如何申请退款"), ("怎么退款", "怎么修改地址"), ("a", "b"), ("好", "好"), ("电话", "手机" * 90)]


def soon() -> RequestContext:
    return RequestContext.within(60)


@pytest.fixture(scope="module", params=["siamese", "two logits", "one logit", "asked in words"])
def engine(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    models = tmp_path_factory.mktemp("models")
    if request.param == "siamese":
        make_siamese(models / "similarity")
    else:
        width = 1 if request.param == "one logit" else 2
        facts = {"labels": ("different", "same")} if width == 2 else {}
        if request.param == "asked in words":
            facts["pair_template"] = {"text": "相似,不相似|{a}&{b}", "prompt": "文本匹配: "}
        make_cross(models / "similarity", "similarity", table(width), thresholds=THRESHOLDS, **facts)
    engine = Engine(Settings(models=models, max_items=8))
    yield engine
    engine.close()


def test_both_orders_have_the_same_score(engine: Engine) -> None:
    forth = engine.predict("similarity", PAIRS, soon())
    back = engine.predict("similarity", [(b, a) for a, b in PAIRS], soon())
    assert [r.score for r in forth] == [r.score for r in back]
    assert [(r.text_a, r.text_b) for r in forth] == PAIRS
    assert [r.truncated for r in forth] == [False] * 4 + [True]


def test_a_pair_has_the_same_score_alone_and_in_company(engine: Engine) -> None:
    together = engine.predict("similarity", PAIRS, soon())
    assert [engine.predict("similarity", [pair], soon())[0] for pair in PAIRS] == together


def test_the_level_follows_the_thresholds(engine: Engine) -> None:
    thresholds = engine.manifest("similarity").thresholds
    for result in engine.predict("similarity", PAIRS, soon()):
        expected = "high" if result.score >= thresholds.high else "low" if result.score < thresholds.low else "medium"
        assert result.level == expected


def test_what_cannot_be_used_is_named(engine: Engine) -> None:
    with pytest.raises(InvalidInput) as caught:
        engine.predict("similarity", [("a", "b"), ("a", " ")], soon())
    assert caught.value.field == "pairs[1][1]"
    with pytest.raises(TooManyItems, match="9 pairs in one request, the limit is 8"):
        engine.predict("similarity", [("a", "b")] * 9, soon())


def test_one_against_many_encodes_the_one_once(tiny_engine: Engine) -> None:
    runner = tiny_engine.runners["similarity"]
    before = runner.batcher.counts.rows
    tiny_engine.predict("similarity", [("只有这里的一句话", f"第{n}句只有这里的话") for n in range(20)], soon())
    assert runner.batcher.counts.rows - before == 21


def test_the_siamese_score_is_the_formula(tiny_engine: Engine, tiny_models: Path) -> None:
    a, b = "怎么退款", "如何申请退款"
    manifest = read_manifest(tiny_models / "similarity")
    u, v = (r.vector.astype(np.float64) for r in tiny_engine.predict("embedding", [a, b], soon()))
    with np.load(tiny_models / "similarity" / MATCHER_NAME) as arrays:
        weight, bias = arrays["weight"].astype(np.float64), float(arrays["bias"])
    logits = [(weight * np.stack([x, y, abs(x - y), x * y])).sum() + bias for x, y in ((u, v), (v, u))]
    z = manifest.calibration.scale * sum(logits) / 2 + manifest.calibration.bias
    (result,) = tiny_engine.predict("similarity", [(a, b)], soon())
    assert result.score == pytest.approx(1 / (1 + math.exp(-z)), abs=2e-6)


VECTORS = st.lists(st.floats(-1e3, 1e3, width=32), min_size=7, max_size=7).map(lambda v: np.array(v, np.float32))


@given(VECTORS, VECTORS, st.sets(st.sampled_from(FEATURES), min_size=1), st.booleans(), st.integers(0, 2**32))
def test_a_matcher_gives_both_orders_the_same_bits(
    u: np.ndarray, v: np.ndarray, features: set, normalize: bool, seed: int
) -> None:
    weight = np.random.default_rng(seed).normal(size=(len(features), 7)).astype(np.float32)
    matcher = PairMatcher(weight, 0.1, tuple(sorted(features)), normalize)
    assert matcher.logit(u, v) == matcher.logit(v, u)
    assert math.isfinite(matcher.logit(u, v))


@pytest.mark.parametrize(
    "arrays",
    [
        {"weight": np.zeros((4, 9), np.float32), "bias": np.float32(0)},
        {"weight": np.zeros((4, 8)), "bias": np.float32(0)},
        {"weight": np.zeros((4, 8), np.float32)},
        {"weight": np.full((4, 8), np.nan, np.float32), "bias": np.float32(0)},
        {"weight": np.array([{}], object), "bias": np.float32(0)},
    ],
    ids=["shape", "type", "no bias", "not a number", "pickle"],
)
def test_a_wrong_matcher_is_refused_with_the_files_name(tmp_path: Path, arrays: dict) -> None:
    make_siamese(tmp_path / "m")
    np.savez(tmp_path / "m" / MATCHER_NAME, **arrays)
    with pytest.raises(InvalidModel, match=r"matcher\.npz"):
        PairMatcher.load(tmp_path / "m", read_manifest(tmp_path / "m"))


def test_a_file_that_is_no_matcher_is_refused(tmp_path: Path) -> None:
    make_siamese(tmp_path / "m")
    (tmp_path / "m" / MATCHER_NAME).write_bytes(b"PK\x03\x04 nothing")
    with pytest.raises(InvalidModel, match=r"matcher\.npz is not a matcher"):
        PairMatcher.load(tmp_path / "m", read_manifest(tmp_path / "m"))
