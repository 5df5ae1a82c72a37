"""`python -m structbert_lite evaluate compare`: the original checkpoint in PyTorch beside the exported model.

Each is measured in a process of its own, in turn.
"""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
import numpy as np

from structbert_lite.bench.machine import describe_machine
from structbert_lite.errors import StructBertError
from structbert_lite.evaluate.figures import accuracy_by_group
from structbert_lite.evaluate.model_process import ModelProcess, exported_command, start_model
from structbert_lite.evaluate.reference import reference_command
from structbert_lite.evaluate.rows import judged_labels, label_numbers, read_rows
from structbert_lite.inference.resources import usable_cpus
from structbert_lite.manifest import read_manifest
from structbert_lite.settings import PROJECT

LABELLING = 8  # texts in a batch where only the labels count
WARM_UP = 8
LINES = {
    "accuracy": ("accuracy", ".2%"),
    "mean_ms": ("one text, mean (ms)", ".2f"),
    "p95_ms": ("one text, P95 (ms)", ".2f"),
    "per_second_batch_1": ("texts/s, batch 1", ".0f"),
    "per_second_batch_8": ("texts/s, batch 8", ".0f"),
    "memory_mb": ("memory, PSS (MB)", ".0f"),
    "start_seconds": ("start to ready (s)", ".2f"),
    "disk_mb": ("model on disk (MB)", ".1f"),
}


@click.command("compare")
@click.option("--reference", required=True, help="The checkpoint: a folder, or an id as for `python -m export`.")
@click.option(
    "--model",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=PROJECT / "models" / "sentiment",
    show_default="models/sentiment",
    help="The exported model's folder.",
)
@click.option(
    "--data",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    required=True,
    help="Columns label (a name or its number) and text.",
)
@click.option("--timed", type=click.IntRange(8), default=200, show_default=True, help="Texts used to measure speed.")
@click.option("--rounds", type=click.IntRange(1), default=3, show_default=True, help="Times that each side is started.")
@click.option("--python", help="Python with PyTorch.  [default: .venv-export's, else the one that runs this]")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def command(
    reference: str, model: Path, data: Path, timed: int, rounds: int, python: str | None, as_json: bool
) -> None:
    """The original checkpoint in PyTorch float32 beside the exported model, on your own labelled texts.

    Each side runs in a process of its own, one after the other, several times; times are medians of the rounds.
    PyTorch is only needed by the reference's process: `pip install -r requirements-export.txt`.
    """
    cpus = usable_cpus()
    try:
        manifest = read_manifest(model)
        rows = read_rows(data, ["label", "text"])
        labels = judged_labels(manifest, rows)
        expected = [labels[number] for number in label_numbers(data, rows, labels)]
        commands = {
            "reference": reference_command(reference, python, manifest),
            "light": exported_command(model.resolve()),
        }
        figures = study(commands, [row["text"] for row in rows], expected, labels, (timed, rounds, cpus))
    except (StructBertError, RuntimeError, ValueError) as error:
        raise click.ClickException(str(error)) from None
    about = f"{len(rows)} texts, {rounds} rounds. {describe_machine()}."
    click.echo(json.dumps({"about": about, **figures}, indent=2) if as_json else table(about, figures))


def study(
    commands: dict[str, list[str]],
    texts: list[str],
    expected: list[str],
    judged: Sequence[str],
    effort: tuple[int, int, int],
) -> dict[str, Any]:
    """`agreement`, the share of texts with one label on both sides, and `sides`: figures by side.

    `commands` starts "reference", whose runs take all CPUs themselves, and "light", whose runs take one each and go
    side by side. `judged`: the labels among which a side chooses; `effort`: texts that are timed, rounds, CPUs.
    Raises RuntimeError when a side does not start, ValueError when their labels differ.
    """
    timed, rounds, cpus = effort
    # Evenly from the whole file: many files are sorted by label or by source.
    chosen = [texts[i] for i in np.linspace(0, len(texts) - 1, min(timed, len(texts))).astype(int)]
    found: dict[str, list[str]] = {}
    measured: dict[str, list[dict[str, float]]] = {name: [] for name in commands}
    labels = None
    steps = len(commands) * (len(texts) + rounds * 3 * len(chosen))
    with click.progressbar(length=steps, label="comparing", file=sys.stderr) as bar:
        for _ in range(rounds):
            for name, command in commands.items():  # in turn, so that a noisy moment hits both
                with start_model(command) as side:
                    labels = labels or side.facts["labels"]
                    if side.facts["labels"] != labels:
                        raise ValueError(f"one side knows the labels {labels}, the other {side.facts['labels']}")
                    side.ask([[text] for text in chosen[:WARM_UP]])
                    measured[name].append(_measure(side, chosen, cpus if name == "light" else 1))
                    bar.update(3 * len(chosen))
                    if name not in found:
                        found[name] = _label(side, texts, [(label, labels.index(label)) for label in judged], bar)
    sides = {
        name: {
            "accuracy": accuracy_by_group(found[name], expected, ["all"] * len(expected))["all"].share,
            "accuracy_by_label": {k: v.share for k, v in accuracy_by_group(found[name], expected, expected).items()},
            **{key: float(np.median([figures[key] for figures in rows])) for key in rows[0]},
        }
        for name, rows in measured.items()
    }
    same = accuracy_by_group(found["light"], found["reference"], ["all"] * len(texts))["all"]
    return {"agreement": same.share, "sides": sides}


def _measure(side: ModelProcess, texts: list[str], threads: int) -> dict[str, float]:
    """Milliseconds of one text after the other; texts a second in batches, `threads` of them side by side."""
    alone = side.ask([[text] for text in texts]).seconds * 1000
    return {
        "mean_ms": float(alone.mean()),
        "p95_ms": float(np.percentile(alone, 95)),
        "per_second_batch_1": len(texts) / side.ask(_batches(texts, 1), threads).wall,
        "per_second_batch_8": len(texts) / side.ask(_batches(texts, 8), threads).wall,
        "memory_mb": side.memory_mb(),
        "start_seconds": side.started_in,
        "disk_mb": side.facts["bytes"] / 1e6,
    }


def _label(side: ModelProcess, texts: list[str], judged: list[tuple[str, int]], bar: Any) -> list[str]:
    """The best of `judged`, labels and their logits' places, for each text."""
    names, places = zip(*judged, strict=True)
    found: list[str] = []
    for start in range(0, len(texts), 32 * LABELLING):
        chunk = texts[start : start + 32 * LABELLING]
        found += [names[i] for i in side.ask(_batches(chunk, LABELLING)).logits[:, places].argmax(1)]
        bar.update(len(chunk))
    return found


def _batches(texts: list[str], size: int) -> list[list[str]]:
    return [texts[start : start + size] for start in range(0, len(texts), size)]


def table(about: str, figures: dict[str, Any]) -> str:
    """One line a figure: PyTorch, the light model, light over PyTorch."""
    reference, light = figures["sides"]["reference"], figures["sides"]["light"]
    lines = [about, "", f"{'':24}{'PyTorch float32':>16}{'light int8':>12}{'ratio':>8}"]
    for key, (title, style) in LINES.items():
        ratio = light[key] / reference[key] if reference[key] else float("nan")
        lines.append(f"{title:24}{reference[key]:>16{style}}{light[key]:>12{style}}{ratio:>8.2f}")
        if key == "accuracy":
            for label, share in reference["accuracy_by_label"].items():
                lines.append(f"{'  of ' + label:24}{share:>16{style}}{light['accuracy_by_label'][label]:>12{style}}")
    lines += ["", f"same label: {figures['agreement']:.2%} of the texts"]
    return "\n".join(lines)
