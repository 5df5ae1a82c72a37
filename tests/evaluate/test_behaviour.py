import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from structbert_lite.evaluate.behaviour import NEEDED, SUITE, TASKS, count, judge, read_suite

SUITES = {name: read_suite(SUITE / f"{name}.jsonl", name) for name in NEEDED}
LEAST = {"sentiment": 420, "similarity": 240, "zero-shot": 200, "rerank": 180, "invariance": 180}


@pytest.mark.parametrize("name", SUITES)
def test_the_built_in_items_are_whole(name: str) -> None:
    items = SUITES[name]
    assert len(items) >= LEAST[name]
    asked = [json.dumps({k: v for k, v in item.items() if k != "kind"}, sort_keys=True) for item in items]
    assert len(set(asked)) == len(asked)
    for item in items:
        if name == "sentiment":
            assert item["label"] in ("Positive", "Negative", "Neutral")
        elif name == "zero-shot":
            assert item["label"] is None or item["label"] in item["labels"]
            assert len(set(item["labels"])) == len(item["labels"])
        elif name == "rerank":
            assert 0 <= item["best"] < len(item["documents"])
        elif name == "invariance":
            assert item["task"] in TASKS
            assert item["a"].keys() == item["b"].keys()
            assert item["a"] != item["b"]


def test_there_are_more_than_1200_items() -> None:
    assert sum(map(len, SUITES.values())) >= 1200


class Fake:
    """Answers every request with what it was given."""

    def __init__(self, **answers: Any) -> None:
        self.answers = answers

    def __call__(self, task: str, inputs: list, **options: Any) -> list:
        found = self.answers[task]
        return found(inputs, **options) if callable(found) else found


def passes(suite: str, item: dict, **answers: Any) -> bool:
    (outcome,) = judge(suite, [{"kind": "any", **item}], Fake(**{k.replace("_", "-"): v for k, v in answers.items()}))
    return outcome.passed


def opinion(label: str, uncertain: bool = False, score: float = 0.9) -> list:
    return [SimpleNamespace(label=label, score=score, uncertain=uncertain)]


def test_a_definite_text_needs_its_label_and_a_neutral_one_needs_doubt() -> None:
    assert passes("sentiment", {"text": "好", "label": "Positive"}, sentiment=opinion("Positive"))
    assert not passes("sentiment", {"text": "好", "label": "Positive"}, sentiment=opinion("Negative"))
    assert passes("sentiment", {"text": "今天", "label": "Neutral"}, sentiment=opinion("Positive", uncertain=True))
    assert not passes("sentiment", {"text": "今天", "label": "Neutral"}, sentiment=opinion("Positive"))


@pytest.mark.parametrize(("score", "same", "passed"), [(0.5, True, True), (0.49, True, False), (0.49, False, True)])
def test_a_pair_is_judged_at_one_half(score: float, same: bool, passed: bool) -> None:
    found = [SimpleNamespace(score=score)]
    assert passes("similarity", {"text_a": "a", "text_b": "b", "same": same}, similarity=found) == passed


def test_labels_by_the_best_and_none_by_its_own_score() -> None:
    found = [SimpleNamespace(labels=("b", "a"), scores=(0.7, 0.3), none=0.6)]
    item = {"text": "x", "labels": ["a", "b"]}
    assert passes("zero-shot", {**item, "label": "b"}, zero_shot=found)
    assert not passes("zero-shot", {**item, "label": "a"}, zero_shot=found)
    assert passes("zero-shot", {**item, "label": None}, zero_shot=found)
    found[0].none = 0.4
    assert not passes("zero-shot", {**item, "label": None}, zero_shot=found)


def test_the_best_document_has_to_come_first() -> None:
    found = [SimpleNamespace(index=1, score=0.8), SimpleNamespace(index=0, score=0.2)]
    item = {"query": "q", "documents": ["a", "b"]}
    assert passes("rerank", {**item, "best": 1}, rerank=found)
    assert not passes("rerank", {**item, "best": 0}, rerank=found)


@pytest.mark.parametrize(
    ("other", "passed"), [((0.86, "Positive"), True), ((0.84, "Positive"), False), ((0.9, "Negative"), False)]
)
def test_two_requests_need_one_verdict_and_near_scores(other: tuple[float, str], passed: bool) -> None:
    def answer(texts: list[str]) -> list:
        return opinion("Positive", score=0.9) if texts == ["a"] else opinion(other[1], score=other[0])

    item = {"task": "sentiment", "a": {"text": "a"}, "b": {"text": "b"}}
    assert passes("invariance", item, sentiment=answer) == passed


def test_outcomes_are_counted_by_kind() -> None:
    items = [{"kind": kind, "text": "好", "label": "Positive"} for kind in ("a", "b", "a")]
    assert count(judge("sentiment", items, Fake(sentiment=opinion("Positive")))) == {
        "sentiment": {"a": (2, 2), "b": (1, 1)}
    }


@pytest.mark.parametrize(
    "line", ["{", "[]", '{"kind": "a"}', '{"kind": "a", "text": "b", "label": "Positive", "x": 1}']
)
def test_a_malformed_line_is_named(tmp_path: Path, line: str) -> None:
    path = tmp_path / "mine.jsonl"
    path.write_text('{"kind": "a", "text": "b", "label": "Positive"}\n' + line + "\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"mine\.jsonl, line 2"):
        read_suite(path, "sentiment")
