"""`python -m structbert_lite evaluate behaviour`: how many of a suite's items each kind passes."""

import json
import sys
from pathlib import Path
from typing import Any

import click

from structbert_lite.engine import Engine
from structbert_lite.errors import StructBertError
from structbert_lite.evaluate.behaviour import NEEDED, SUITE, Item, Outcome, count, judge, read_suite
from structbert_lite.manifest import read_manifest
from structbert_lite.request_context import RequestContext
from structbert_lite.settings import Settings

SECONDS = 600.0  # for one item
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


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
        engine = _open_engine(model)
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


def _open_engine(model: Path | None) -> Engine:
    """An engine of the installed models, or of one of them alone, without a cache."""
    settings = Settings.from_environment().model_copy(update={"load": "lazy", "cache_mb": 0, "redis_url": ""})
    if model is not None:
        folder = model.resolve()
        names = {f"{task.replace('-', '_')}_model": folder.name for task in read_manifest(folder).tasks}
        settings = settings.model_copy(update={"models": folder.parent, **names})
    return Engine(settings)


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
        return engine.predict(task, inputs, RequestContext.within(SECONDS), **options)

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
