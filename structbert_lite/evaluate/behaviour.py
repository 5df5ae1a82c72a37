"""`python -m structbert_lite evaluate behaviour`: which kinds of items a model gets right.

The suite says what a model has to answer, by task and kind, after CheckList (Ribeiro et al. 2020): one file a task,
JSON Lines. An item is a test of minimal functionality, with the one right answer, but for those of `invariance`: two
requests that differ in nothing that matters and have to get one verdict.

| file | item, besides `kind` | passes where |
|---|---|---|
| sentiment | text, label: Positive, Negative or Neutral | the label is right; for Neutral: the answer is uncertain |
| similarity | text_a, text_b, same | the score is on the right side of 0.5 |
| zero-shot | text, labels, label (null: none of them) | the best label is right; for null: `none` is above 0.5 |
| rerank | query, documents, best: a place | that document comes first |
| invariance | task, a, b: requests | the verdicts are equal and no score differs by more than 0.05 |
"""

import json
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from structbert_lite.engine import Engine
from structbert_lite.errors import StructBertError
from structbert_lite.evaluate.installed import open_engine, patient_context
from structbert_lite.tables.json_lines import read_lines
from structbert_lite.tables.source import InputFile

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
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


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
    file = InputFile(path)
    for number, record in read_lines(file, file.find_encoding()):
        if record.fault:
            raise ValueError(f"{path.name}, {record.fault}")
        if set(record.values) != NEEDED[name]:
            raise ValueError(f"{path.name}, line {number}: an item of {name} has {', '.join(sorted(NEEDED[name]))}")
        items.append(record.values)
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


@click.command("behaviour")
@click.argument("model", type=click.Path(exists=True, file_okay=False, path_type=Path), required=False)
@click.option("--suite", type=FILE, help="Your own items, JSON Lines as docs/quality.md shows them; with --task.")
@click.option("--task", type=click.Choice(list(NEEDED)), help="Only this part of the suite, or the task of --suite.")
@click.option("--failures", type=click.Path(dir_okay=False, path_type=Path), help="A file for the items that failed.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def command(model: Path | None, suite: Path | None, task: str | None, failures: Path | None, as_json: bool) -> None:
    """Passes by kind of the behaviour suite: of the models that the server would use, or of the one in MODEL.

    The built-in suite has about 1,300 items: sentiment, similarity, zero-shot, rerank, and invariance, requests that
    differ in nothing that matters.
    """
    if suite is not None and task is None:
        raise click.UsageError("--suite needs --task: which part of the suite its items are like")
    try:
        engine = open_engine(model)
        parts = _read_parts(engine, suite, task)
        outcomes = _judge(engine, parts)
        engine.close()
    except (StructBertError, ValueError, OSError) as error:
        raise click.ClickException(str(error)) from None
    if failures is not None:
        lines = [json.dumps({**o.item, "answer": o.answer}, ensure_ascii=False) for o in outcomes if not o.passed]
        failures.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    table = count(outcomes)
    click.echo(json.dumps(_as_json(table), ensure_ascii=False, indent=2) if as_json else _as_text(table))


def _read_parts(engine: Engine, suite: Path | None, task: str | None) -> dict[str, list[Item]]:
    """Items by name of the suite, only those whose task can be asked."""
    if suite is not None and task is not None:
        return {task: read_suite(suite, task)}
    names = [task] if task else list(NEEDED)
    parts = {name: read_suite(SUITE / f"{name}.jsonl", name) for name in names}
    if "invariance" in parts:
        parts["invariance"] = [item for item in parts["invariance"] if item["task"] in engine.names]
    return {name: items for name, items in parts.items() if name in engine.names or (name == "invariance" and items)}


def _judge(engine: Engine, parts: dict[str, list[Item]]) -> list[Outcome]:
    def ask(task: str, inputs: list[Any], **options: Any) -> list[Any]:
        return engine.predict(task, inputs, patient_context(), **options)

    outcomes: list[Outcome] = []
    for name, items in parts.items():
        with click.progressbar(items, label=name, file=sys.stderr) as bar:
            outcomes += judge(name, bar, ask)
    return outcomes


def _as_json(table: dict[str, dict[str, tuple[int, int]]]) -> dict[str, Any]:
    return {
        suite: {kind: {"passed": passed, "items": items} for kind, (passed, items) in kinds.items()}
        for suite, kinds in table.items()
    }


def _as_text(table: dict[str, dict[str, tuple[int, int]]]) -> str:
    lines = []
    for suite, kinds in table.items():
        passed, items = (sum(numbers) for numbers in zip(*kinds.values(), strict=True))
        lines.append(f"{suite:30}{passed:5} of {items:4}  {passed / items:6.1%}")
        lines += [f"  {kind:28}{p:5} of {n:4}  {p / n:6.1%}" for kind, (p, n) in kinds.items()]
    return "\n".join(lines)
