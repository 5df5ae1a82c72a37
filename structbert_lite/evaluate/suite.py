"""The behaviour suite: what a model has to answer, by task and kind, after CheckList (Ribeiro et al. 2020).

One file a task, JSON Lines. An item is a test of minimal functionality, with the one right answer, but for those of
`invariance`: two requests that differ in nothing that matters and have to get one verdict.

| file | item, besides `kind` | passes where |
|---|---|---|
| sentiment | text, label: Positive, Negative or Neutral | the label is right; for Neutral: the answer is uncertain |
| similarity | text_a, text_b, same | the score is on the right side of 0.5 |
| zero-shot | text, labels, label (null: none of them) | the best label is right; for null: `none` is above 0.5 |
| rerank | query, documents, best: a place | that document comes first |
| invariance | task, a, b: requests | the verdicts are equal and no score differs by more than 0.05 |
"""

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SUITE = Path(__file__).parent / "data" / "behaviour"
TASKS = ("sentiment", "similarity", "zero-shot", "rerank")
MOST_DIFFERENT = 0.05  # of two scores that ought to be one
NEEDED = {
    "sentiment": {"kind", "text", "label"},
    "similarity": {"kind", "text_a", "text_b", "same"},
    "zero-shot": {"kind", "text", "labels", "label"},
    "rerank": {"kind", "query", "documents", "best"},
    "invariance": {"kind", "task", "a", "b"},
}

Item = dict[str, Any]
# Results of a task for its inputs, with its options: Engine.predict without the deadline.
Ask = Callable[..., list[Any]]


@dataclass(frozen=True, slots=True)
class Outcome:
    """One item of a suite, whether it passed, and what was answered."""

    suite: str
    item: Item
    passed: bool
    answer: str


def read_suite(path: Path, name: str) -> list[Item]:
    """The items of a JSON Lines file that is laid out as the suite `name`. Raises ValueError with the line's number."""
    items = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip():
            continue
        try:
            item = json.loads(line)
        except ValueError:
            raise ValueError(f"{path.name}, line {number} is not JSON") from None
        if not isinstance(item, dict) or set(item) != NEEDED[name]:
            raise ValueError(f"{path.name}, line {number}: an item of {name} has {', '.join(sorted(NEEDED[name]))}")
        items.append(item)
    return items


def judge(suite: str, items: Iterable[Item], ask: Ask) -> Iterator[Outcome]:
    """The outcome of each item, in order."""
    for item in items:
        passed, answer = JUDGES[suite](item, ask)
        yield Outcome(suite, item, passed, answer)


def count(outcomes: Iterable[Outcome]) -> dict[str, dict[str, tuple[int, int]]]:
    """(passed, items) by suite and kind, in the order of the items."""
    table: dict[str, dict[str, tuple[int, int]]] = {}
    for outcome in outcomes:
        kinds = table.setdefault(outcome.suite, {})
        passed, items = kinds.get(outcome.item["kind"], (0, 0))
        kinds[outcome.item["kind"]] = passed + outcome.passed, items + 1
    return table


def _sentiment(item: Item, ask: Ask) -> tuple[bool, str]:
    (found,) = ask("sentiment", [item["text"]])
    unsure = bool(found.uncertain)
    passed = unsure if item["label"] == "Neutral" else found.label == item["label"]
    return passed, f"{found.label} {found.score}{', uncertain' if unsure else ''}"


def _similarity(item: Item, ask: Ask) -> tuple[bool, str]:
    (found,) = ask("similarity", [(item["text_a"], item["text_b"])])
    return (found.score >= 0.5) == item["same"], str(found.score)


def _zero_shot(item: Item, ask: Ask) -> tuple[bool, str]:
    (found,) = ask("zero-shot", [item["text"]], labels=item["labels"], none=True)
    passed = found.none > 0.5 if item["label"] is None else found.labels[0] == item["label"]
    return passed, f"{found.labels[0]} {found.scores[0]}, none {found.none}"


def _rerank(item: Item, ask: Ask) -> tuple[bool, str]:
    found = ask("rerank", item["documents"], query=item["query"])
    return found[0].index == item["best"], ", ".join(f"{r.index}: {r.score}" for r in found)


def _invariance(item: Item, ask: Ask) -> tuple[bool, str]:
    one, other = (VERDICTS[item["task"]](item[side], ask) for side in "ab")
    near = all(abs(x - y) <= MOST_DIFFERENT for x, y in zip(one[1], other[1], strict=True))
    return one[0] == other[0] and near, f"{one[0]} {one[1]} / {other[0]} {other[1]}"


JUDGES = {
    "sentiment": _sentiment,
    "similarity": _similarity,
    "zero-shot": _zero_shot,
    "rerank": _rerank,
    "invariance": _invariance,
}


def _sentiment_verdict(request: Item, ask: Ask) -> tuple[Any, list[float]]:
    (found,) = ask("sentiment", [request["text"]])
    return found.label, [found.score]


def _similarity_verdict(request: Item, ask: Ask) -> tuple[Any, list[float]]:
    (found,) = ask("similarity", [(request["text_a"], request["text_b"])])
    return found.score >= 0.5, [found.score]


def _zero_shot_verdict(request: Item, ask: Ask) -> tuple[Any, list[float]]:
    (found,) = ask("zero-shot", [request["text"]], labels=request["labels"])
    # By place: a label may be written otherwise in the other request.
    scores = dict(zip(found.labels, found.scores, strict=True))
    return request["labels"].index(found.labels[0]), [scores[label] for label in request["labels"]]


def _rerank_verdict(request: Item, ask: Ask) -> tuple[Any, list[float]]:
    found = ask("rerank", request["documents"], query=request["query"])
    return found[0].index, [r.score for r in sorted(found, key=lambda r: r.index)]


VERDICTS = {
    "sentiment": _sentiment_verdict,
    "similarity": _similarity_verdict,
    "zero-shot": _zero_shot_verdict,
    "rerank": _rerank_verdict,
}
