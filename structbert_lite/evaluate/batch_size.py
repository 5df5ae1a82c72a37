"""`python -m structbert_lite evaluate batch-size`: whether a score depends on the batch it was computed in.

The same inputs are run in batches of several sizes and orders.
"""

import json
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray

from structbert_lite.bench.machine import describe_machine
from structbert_lite.errors import StructBertError
from structbert_lite.evaluate.batch_report import load_plotter, markdown, split_page, table
from structbert_lite.evaluate.model_process import ModelProcess, exported_command, start_model
from structbert_lite.evaluate.rows import LABELS, PERTURBATION, label_numbers, read_rows, take_sample
from structbert_lite.evaluate.stability import SIZES, BatchFigures, measure_stability, probability_of, sigmoid
from structbert_lite.manifest import OPINIONS, Manifest, read_manifest
from structbert_lite.model_selection import serving_folder

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
OUT = click.Path(dir_okay=False, writable=True, path_type=Path)


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


def study(
    sides: dict[str, ModelProcess], kind: Kind, inputs: Sequence[Any], strong: NDArray[np.bool_], shuffles: int
) -> dict[str, list[BatchFigures]]:
    """Rows by file, one for each of SIZES. Raises ValueError when `strong` has only one kind in it."""
    measure_stability(np.zeros((1, len(inputs))), strong)  # a file that cannot be judged is refused before the work
    rng = np.random.default_rng(0)
    orders = [rng.permutation(len(inputs)) for _ in range(shuffles)]
    alone: dict[str, NDArray[np.float32]] = {}
    figures: dict[str, list[BatchFigures]] = {name: [] for name in sides}
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
                    BatchFigures(
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
    side: ModelProcess, inputs: Sequence[Any], order: NDArray[np.int64], size: int
) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """(logits [inputs, labels] in the order of `inputs`, seconds [batches])."""
    batches = [[inputs[i] for i in order[start : start + size]] for start in range(0, len(order), size)]
    answer = side.ask(batches)
    logits = np.empty_like(answer.logits)
    logits[order] = answer.logits
    return logits, answer.seconds


@click.command("batch-size")
@click.option(
    "--model",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="A model's folder.  [default: the one that serves similarity with --pairs, sentiment with --texts]",
)
@click.option("--against", type=FILE, multiple=True, help="ONNX file with the same inputs; may be given several times.")
@click.option(
    "--pairs",
    type=FILE,
    is_flag=False,
    flag_value=PERTURBATION,
    help="Columns text_a, text_b, label: 0 unrelated, 1 weak, 2 strong. Without FILE, the built-in pairs.",
)
@click.option("--texts", type=FILE, help="Columns text, label: 0 negative, 1 positive, which counts as strong.")
@click.option("--sample", type=click.IntRange(2), help="Rows to take at random.  [default: all]")
@click.option("--shuffles", type=click.IntRange(2), default=10, show_default=True, help="Orders for each batch size.")
@click.option("--plot", type=OUT, help="Write a PNG (needs matplotlib).")
@click.option("--markdown", "page", type=OUT, help="Write the tables into this Markdown page, between its markers.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def command(
    model: Path | None,
    against: tuple[Path, ...],
    pairs: Path | None,
    texts: Path | None,
    sample: int | None,
    shuffles: int,
    plot: Path | None,
    page: Path | None,
    as_json: bool,
) -> None:
    """Whether a score depends on the batch it was computed in.

    The rows of your file are run in batches of 1, 2, 4, 8, 16 and 32, each time in several orders. The model's
    own file and every file --against take turns, each in a process of its own. docs/batch-size.md says what
    the columns mean. A file is tab-separated UTF-8 with a header line, comma-separated where it ends in .csv.
    """
    try:
        draw = load_plotter() if plot else None  # both before the work, which takes minutes
        around = split_page(page) if page else None
        folder, kind, file = _choose(model, pairs, texts)
        inputs, strong = _read(file, kind, sample)
        files = _name_files(folder, against)
        with ExitStack() as stack:
            sides = {name: stack.enter_context(start_model(call)) for name, call in files.items()}
            figures = study(sides, kind, inputs, strong, shuffles)
        about = (
            f"{len(inputs)} inputs, {int(strong.sum())} of them strong, {shuffles} shuffles for each batch size, "
            f"one run at a time on one thread. {describe_machine()}."
        )
        if page and around:
            page.write_text(markdown(about, figures).join(around), encoding="utf-8")
        if draw and plot:
            draw(figures, plot)
    except (StructBertError, RuntimeError, ValueError, OSError) as error:
        raise click.ClickException(str(error)) from None
    click.echo(json.dumps(_plain(about, figures), indent=2) if as_json else table(about, figures))


def _read(file: Path, kind: Kind, sample: int | None) -> tuple[list[Any], NDArray[np.bool_]]:
    """(inputs, which of them are strong); raises ValueError as read_rows and label_numbers do."""
    rows = take_sample(read_rows(file, [*kind.columns, "label"]), sample)
    numbers = np.array(label_numbers(file, rows, kind.labels))
    fields = [[row[name] for name in kind.columns] for row in rows]
    return [field[0] if len(field) == 1 else field for field in fields], numbers == len(kind.labels) - 1


def _name_files(folder: Path, against: tuple[Path, ...]) -> dict[str, list[str]]:
    """What starts each file, by the name in the report. Raises ValueError when two have one name."""
    commands = {folder.name: exported_command(folder)}
    for path in against:
        if path.name in commands:
            raise ValueError(f"two files are called {path.name}; rename one of them")
        commands[path.name] = exported_command(folder, path.resolve())
    return commands


def _choose(model: Path | None, pairs: Path | None, texts: Path | None) -> tuple[Path, Kind, Path]:
    """(model's folder, what its task is asked with, the file that holds it). Raises ValueError when they do not fit."""
    if (pairs and texts) or not (pairs or texts or model):
        raise ValueError("give one of --pairs and --texts")
    folder = (model or serving_folder("sentiment" if texts else "similarity")).resolve()
    manifest = read_manifest(folder)
    kind = choose_kind(manifest)
    option, file = ("--texts", texts) if texts else ("--pairs", pairs or PERTURBATION)
    if kind.option != option:
        raise ValueError(f"{manifest.name} is a {manifest.task} model: it takes {kind.option}, not {option}")
    return folder, kind, file


def _plain(about: str, figures: dict[str, list[BatchFigures]]) -> dict[str, Any]:
    def flat(row: BatchFigures) -> dict[str, Any]:
        fields = asdict(row)
        stability: dict[str, Any] = fields.pop("stability")
        return stability | fields

    files = {
        name: {"suggested_threshold": rows[0].stability.threshold, "rows": [flat(row) for row in rows]}
        for name, rows in figures.items()
    }
    return {"about": about, "files": files}
