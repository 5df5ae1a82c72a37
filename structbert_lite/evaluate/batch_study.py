"""Runs the same inputs in batches of several sizes and orders."""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray

from structbert_lite.evaluate.model_process import Side
from structbert_lite.evaluate.perturbation import LABELS
from structbert_lite.evaluate.stability import Stability, measure_stability, probability_of, sigmoid
from structbert_lite.manifest import OPINIONS, Manifest

SIZES = (1, 2, 4, 8, 16, 32)


@dataclass(frozen=True, slots=True)
class Kind:
    """What one task is asked with. `labels` in the file's order, the last being the strong one; logits -> scores from
    0 to 1, not rounded.
    """

    option: str
    columns: tuple[str, ...]
    labels: tuple[str, ...]
    score: Callable[[NDArray[np.float32]], NDArray[np.float64]]


def choose_kind(manifest: Manifest) -> Kind:
    """What the model's task is asked with. Raises ValueError for a task without a score from 0 to 1 of its own."""
    if manifest.task == "sentiment":
        places = list(map(manifest.labels.index, manifest.answered_labels(neutral=False)))
        return Kind("--texts", ("text",), OPINIONS, lambda logits: probability_of(logits[..., places], 1))
    if manifest.task == "similarity":
        scale, bias = manifest.calibration.scale, manifest.calibration.bias
        return Kind("--pairs", ("text_a", "text_b"), LABELS, lambda logits: sigmoid(scale * logits[..., 0] + bias))
    raise ValueError(f"{manifest.name} is a {manifest.task} model: this study is of sentiment and similarity")


@dataclass(frozen=True, slots=True)
class Row:
    """One file at one batch size. `same_bits`: every logit has the bits it had alone, in every shuffle."""

    batch: int
    stability: Stability
    same_bits: bool
    batch_ms: float  # median of the full batches: tokenization and one run on one thread
    per_second: float
    peak_mb: float  # of the process, while it ran batches of this size


def study(
    sides: dict[str, Side], kind: Kind, inputs: Sequence[Any], strong: NDArray[np.bool_], shuffles: int
) -> dict[str, list[Row]]:
    """Rows by file, one for each of SIZES. Raises ValueError when `strong` has only one kind in it."""
    measure_stability(np.zeros((1, len(inputs))), strong)  # a file that cannot be judged is refused before the work
    rng = np.random.default_rng(0)
    orders = [rng.permutation(len(inputs)) for _ in range(shuffles)]
    alone: dict[str, NDArray[np.float32]] = {}
    figures: dict[str, list[Row]] = {name: [] for name in sides}
    steps = len(SIZES) * shuffles * len(sides) * len(inputs)
    with click.progressbar(length=steps, label="scoring", file=sys.stderr) as bar:
        for size in SIZES:
            runs: dict[str, list[tuple[NDArray[np.float32], NDArray[np.float64]]]] = {name: [] for name in sides}
            for side in sides.values():
                side.forget_peak()
            for order in orders:
                for name, side in sides.items():  # in turn, so that a noisy moment hits all
                    runs[name].append(_run(side, inputs, order, size))
                    bar.update(len(inputs))
            for name, side in sides.items():
                logits = np.stack([logits for logits, _ in runs[name]])
                first = alone.setdefault(name, logits[0])
                seconds = np.concatenate([seconds for _, seconds in runs[name]])
                full = np.concatenate([seconds[: len(inputs) // size] for _, seconds in runs[name]])
                figures[name].append(
                    Row(
                        batch=size,
                        stability=measure_stability(kind.score(logits), strong),
                        same_bits=all(row.tobytes() == first.tobytes() for row in logits),
                        batch_ms=float(np.median(full if len(full) else seconds)) * 1000,
                        per_second=len(inputs) * shuffles / float(seconds.sum()),
                        peak_mb=side.peak_mb(),
                    )
                )
    return figures


def _run(
    side: Side, inputs: Sequence[Any], order: NDArray[np.int64], size: int
) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """(logits [inputs, labels] in the order of `inputs`, seconds [batches])."""
    batches = [[inputs[i] for i in order[start : start + size]] for start in range(0, len(order), size)]
    answer = side.ask(batches)
    logits = np.empty_like(answer.logits)
    logits[order] = answer.logits
    return logits, answer.seconds
