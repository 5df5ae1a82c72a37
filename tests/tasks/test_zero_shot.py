import json
import math
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from structbert_lite.engine import Engine
from structbert_lite.errors import InvalidInput, TooManyItems
from structbert_lite.manifest import MANIFEST_NAME
from structbert_lite.request_context import RequestContext
from structbert_lite.settings import Settings

LABELS = ["咨询", "投诉", "建议"]
TEXT = "我想问一下这款手机什么时候有货"


def soon() -> RequestContext:
    return RequestContext.within(60)


def logits(engine: Engine, hypothesis: str) -> list[float]:
    """Of contradiction, neutral, entailment."""
    (row,) = engine.runners["zero-shot"].run([(TEXT, hypothesis)], soon())
    return row.values.tolist()


def ask(engine: Engine, labels: list[str] = LABELS, **options: object) -> dict[str, float]:
    (result,) = engine.predict("zero-shot", [TEXT], soon(), labels=labels, **options)
    assert list(result.scores) == sorted(result.scores, reverse=True)
    assert set(result.labels) == set(labels)
    return dict(zip(result.labels, result.scores, strict=True))


def test_one_of_several_is_a_softmax_of_entailment(tiny_engine: Engine) -> None:
    powers = {label: math.exp(logits(tiny_engine, label)[2]) for label in LABELS}
    expected = {label: power / sum(powers.values()) for label, power in powers.items()}
    assert ask(tiny_engine) == pytest.approx(expected, abs=1e-6)
    assert sum(ask(tiny_engine).values()) == pytest.approx(1, abs=3e-6)


@pytest.mark.parametrize(("labels", "multi_label"), [(LABELS, True), (["咨询"], False), (["咨询"], True)])
def test_by_itself_entailment_stands_against_contradiction(
    tiny_engine: Engine, labels: list[str], multi_label: bool
) -> None:
    found = {label: logits(tiny_engine, label) for label in labels}
    expected = {label: 1 / (1 + math.exp(z[0] - z[2])) for label, z in found.items()}
    assert ask(tiny_engine, labels, multi_label=multi_label) == pytest.approx(expected, abs=1e-6)


def test_other_braces_of_a_template_stay(tiny_engine: Engine) -> None:
    template = "{这}句话{0}的意图是{}。"
    z = logits(tiny_engine, "{这}句话{0}的意图是咨询。")
    expected = 1 / (1 + math.exp(z[0] - z[2]))
    assert ask(tiny_engine, ["咨询"], hypothesis_template=template)["咨询"] == pytest.approx(expected, abs=1e-6)


def test_a_new_label_costs_only_itself(tiny_engine: Engine) -> None:
    runner = tiny_engine.runners["zero-shot"]
    ask(tiny_engine)
    before = runner.batcher.counts.rows
    ask(tiny_engine, [*LABELS[::-1], "表扬"], multi_label=True)
    assert runner.batcher.counts.rows - before == 1


def test_labels_of_one_score_keep_the_callers_order(tiny_engine: Engine) -> None:
    labels = ["a", "a ", " a"]  # different strings, the same tokens
    (result,) = tiny_engine.predict("zero-shot", [TEXT], soon(), labels=labels)
    assert list(result.labels) == labels
    assert len(set(result.scores)) == 1


def test_texts_have_their_order_and_say_whether_they_were_truncated(tiny_engine: Engine) -> None:
    texts = ["好" * 500, TEXT]
    results = tiny_engine.predict("zero-shot", texts, soon(), labels=LABELS)
    assert [(r.text, r.truncated) for r in results] == [(texts[0], True), (texts[1], False)]


@pytest.mark.parametrize("multi_label", [False, True])
def test_none_is_how_little_the_best_label_fits(tiny_engine: Engine, multi_label: bool) -> None:
    found = [logits(tiny_engine, label) for label in LABELS]
    best = max(z[2] - z[0] for z in found)
    options = {"labels": LABELS, "multi_label": multi_label}
    (plain,) = tiny_engine.predict("zero-shot", [TEXT], soon(), **options)
    (result,) = tiny_engine.predict("zero-shot", [TEXT], soon(), none=True, **options)
    assert result.none == pytest.approx(1 / (1 + math.exp(best)), abs=1e-6)
    assert plain == replace(result, none=None)


def test_none_is_calibrated_by_the_manifest(tiny_models: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(tiny_models / "zero-shot", tmp_path / "zero-shot"))
    facts = json.loads((folder / MANIFEST_NAME).read_text())
    (folder / MANIFEST_NAME).write_text(json.dumps(facts | {"none": {"scale": 0.25, "bias": -1.5}}))
    engine = Engine(Settings(models=tmp_path))
    best = max(z[2] - z[0] for z in (logits(engine, label) for label in LABELS))
    (result,) = engine.predict("zero-shot", [TEXT], soon(), labels=LABELS, none=True)
    assert result.none == pytest.approx(1 / (1 + math.exp(0.25 * best - 1.5)), abs=1e-6)
    engine.close()


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"labels": []}, "labels"),
        ({"labels": ["a", "b", "a"]}, "labels[2]"),
        ({"labels": ["a", " "]}, "labels[1]"),
        ({"labels": ["a"], "hypothesis_template": "nothing"}, "hypothesis_template"),
    ],
)
def test_what_cannot_be_used_is_named(tiny_engine: Engine, options: dict, field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        tiny_engine.predict("zero-shot", [TEXT], soon(), **options)
    assert caught.value.field == field


def test_texts_times_labels_have_a_limit(tiny_engine: Engine) -> None:
    with pytest.raises(TooManyItems, match="66 texts times labels in one request, the limit is 64"):
        tiny_engine.predict("zero-shot", [TEXT] * 22, soon(), labels=LABELS)
