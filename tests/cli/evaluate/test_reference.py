import json
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from click.testing import CliRunner

from structbert_lite.cli.evaluate.quality import command
from structbert_lite.cli.evaluate.reference import ReferenceRunner
from structbert_lite.cli.light import load_model
from structbert_lite.cli.side import Answer
from structbert_lite.engine import Engine
from structbert_lite.manifest import MODEL_NAME, read_manifest
from structbert_lite.registry import PIPELINES
from structbert_lite.request_context import RequestContext


class TheModelItself:
    """Answers as a process would, with the numbers of the exported graph."""

    def __init__(self, folder: Path) -> None:
        _, self._run = load_model(folder, folder / MODEL_NAME)
        self.longest_batch = 0

    def ask(self, batches: Sequence[Sequence]) -> Answer:
        self.longest_batch = max(map(len, batches))
        return Answer(np.concatenate([self._run(batch) for batch in batches]), np.zeros(len(batches)), 0.0)


def test_a_pipeline_cannot_tell_the_difference(tiny_models: Path, tiny_engine: Engine) -> None:
    folder = tiny_models / "zero-shot"
    side = TheModelItself(folder)
    pipeline = PIPELINES["zero-shot"](ReferenceRunner(side, folder, read_manifest(folder)), 64)
    texts = ["房间很好" * (1 + i % 3) + "好差" * i for i in range(9)]
    asked = {"labels": ["酒店", "天气"], "hypothesis_template": "这是{}"}
    context = RequestContext.within(60)
    assert pipeline.predict(texts, context, **asked) == tiny_engine.predict("zero-shot", texts, context, **asked)
    assert side.longest_batch == 8


def test_nothing_is_asked_about_nothing(tiny_models: Path) -> None:
    folder = tiny_models / "rerank"
    runner = ReferenceRunner(TheModelItself(folder), folder, read_manifest(folder))
    assert runner.run([], RequestContext()) == []


def test_the_checkpoint_stands_beside_the_model(exported: tuple[Path, Path], labelled: Path) -> None:
    checkpoint, light = exported
    options = ["--task", "sentiment", "--data", labelled, "--reference", checkpoint, "--python", sys.executable]
    done = CliRunner().invoke(command, list(map(str, [light, *options, "--json"])))
    assert done.exit_code == 0, done.output
    (found,) = json.loads(done.stdout)["results"]
    assert list(found["figures"]) == ["light int8", "PyTorch float32"]
    light_figures, reference_figures = found["figures"].values()
    assert light_figures.keys() == reference_figures.keys() == {"accuracy", "macro-F1", "AUC"}


def test_a_python_that_cannot_be_run(tiny_models: Path) -> None:
    options = ["--task", "similarity", "--reference", tiny_models, "--python", "/none/python"]
    done = CliRunner().invoke(command, list(map(str, [tiny_models / "similarity", *options])))
    assert done.exit_code == 1
    assert "cannot be run: No such file" in done.output
