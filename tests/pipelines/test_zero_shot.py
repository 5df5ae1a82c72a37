import math
import time

import pytest

from structbert_lite.engine import Engine
from structbert_lite.errors import InvalidInput, TooManyItems

LABELS = ["咨询", "投诉", "建议"]
TEXT = "我想问一下这款手机什么时候有货"


def soon() -> float:
    return time.monotonic() + 60


def logits(engine: Engine, hypothesis: str) -> list[float]:
    """Of contradiction, neutral, entailment."""
    (row,) = engine.encoders["zero-shot"].encode([(TEXT, hypothesis)], soon())
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
    encoder = tiny_engine.encoders["zero-shot"]
    ask(tiny_engine)
    before = encoder.batcher.counts.rows
    ask(tiny_engine, [*LABELS[::-1], "表扬"], multi_label=True)
    assert encoder.batcher.counts.rows - before == 1


def test_labels_of_one_score_keep_the_callers_order(tiny_engine: Engine) -> None:
    labels = ["a", "a ", " a"]  # different strings, the same tokens
    (result,) = tiny_engine.predict("zero-shot", [TEXT], soon(), labels=labels)
    assert list(result.labels) == labels
    assert len(set(result.scores)) == 1


def test_texts_have_their_order_and_say_whether_they_were_truncated(tiny_engine: Engine) -> None:
    texts = ["好" * 500, TEXT]
    results = tiny_engine.predict("zero-shot", texts, soon(), labels=LABELS)
    assert [(r.text, r.truncated) for r in results] == [(texts[0], True), (texts[1], False)]


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
