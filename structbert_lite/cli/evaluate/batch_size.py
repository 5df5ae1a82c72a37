"""`python -m structbert_lite evaluate batch-size`: whether a score depends on the batch it was computed in."""

import json
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray

from structbert_lite.cli.evaluate.batch_report import markdown, split_page, table
from structbert_lite.cli.evaluate.batch_study import Kind, Row, choose_kind, study
from structbert_lite.cli.evaluate.rows import label_numbers, read_rows, take_sample
from structbert_lite.cli.machine import describe_machine
from structbert_lite.cli.side import light_command, start_side
from structbert_lite.errors import StructBertError
from structbert_lite.evaluate.perturbation import PERTURBATION
from structbert_lite.manifest import read_manifest
from structbert_lite.model_selection import serving_folder

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
OUT = click.Path(dir_okay=False, writable=True, path_type=Path)


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
    draw = _plotter() if plot else None
    try:
        folder, kind, file = _choose(model, pairs, texts)
        inputs, strong = _read(file, kind, sample)
        files = _name_files(folder, against)
        around = split_page(page) if page else None  # before the work, which takes minutes
        with ExitStack() as stack:
            sides = {name: stack.enter_context(start_side(call)) for name, call in files.items()}
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
    commands = {folder.name: light_command(folder)}
    for path in against:
        if path.name in commands:
            raise ValueError(f"two files are called {path.name}; rename one of them")
        commands[path.name] = light_command(folder, path.resolve())
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


def _plotter() -> Callable[[dict[str, list[Row]], Path], None]:
    try:
        from structbert_lite.cli.evaluate.batch_plot import draw
    except ModuleNotFoundError as error:
        raise click.ClickException(
            f"--plot needs {error.name}, which is not installed; run: pip install -r requirements-evaluate.txt"
        ) from None
    return draw


def _plain(about: str, figures: dict[str, list[Row]]) -> dict[str, Any]:
    def flat(row: Row) -> dict[str, Any]:
        fields = asdict(row)
        stability: dict[str, Any] = fields.pop("stability")
        return stability | fields

    files = {
        name: {"suggested_threshold": rows[0].stability.threshold, "rows": [flat(row) for row in rows]}
        for name, rows in figures.items()
    }
    return {"about": about, "files": files}
