"""Measures two sides of a comparison in turn, each in a process of its own."""

import sys
from collections.abc import Sequence
from typing import Any

import click
import numpy as np

from structbert_lite.evaluate.figures_accuracy import accuracy_by_group
from structbert_lite.evaluate.model_process import Side, start_side

LABELLING = 8  # texts in a batch where only the labels count
WARM_UP = 8


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
                with start_side(command) as side:
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


def _measure(side: Side, texts: list[str], threads: int) -> dict[str, float]:
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


def _label(side: Side, texts: list[str], judged: list[tuple[str, int]], bar: Any) -> list[str]:
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
