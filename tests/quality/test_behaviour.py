"""What the default models pass of the behaviour suite, by kind: a kind may not fall.

behaviour.json holds the passes of the models in the tree, as `evaluate behaviour --json` gives them. A new
default model brings its own; a kind that it loses has to be answered for in the change that brings it.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from structbert_lite.engine import Engine
from structbert_lite.evaluate.behaviour import SUITE, count, judge, read_suite
from structbert_lite.request_context import RequestContext
from structbert_lite.settings import Settings

HELD = json.loads(Path(__file__).with_name("behaviour.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def uncached() -> Iterator[Engine]:
    engine = Engine(Settings(cache_mb=0))
    yield engine
    engine.close()


@pytest.mark.parametrize("name", HELD)
def test_no_kind_falls(uncached: Engine, name: str) -> None:
    def ask(task: str, inputs: list, **options: Any) -> list:
        return uncached.predict(task, inputs, RequestContext.within(60), **options)

    outcomes = list(judge(name, read_suite(SUITE / f"{name}.jsonl", name), ask))
    found = count(outcomes)[name]
    assert found.keys() == HELD[name].keys()
    print("\n".join(f"{o.item} -> {o.answer}" for o in outcomes if not o.passed))
    fallen = {
        kind: f"{found[kind][0]}, was {was['passed']}"
        for kind, was in HELD[name].items()
        if found[kind][0] < was["passed"]
    }
    assert not fallen
