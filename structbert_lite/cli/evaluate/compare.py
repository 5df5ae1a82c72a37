"""`python -m structbert_lite evaluate compare`: the original checkpoint in PyTorch beside the exported model."""

import json
from pathlib import Path

import click

from structbert_lite.cli.evaluate.compare_report import table
from structbert_lite.cli.evaluate.compare_study import study
from structbert_lite.cli.evaluate.reference import reference_command
from structbert_lite.cli.evaluate.rows import judged_labels, label_numbers, read_rows
from structbert_lite.cli.machine import describe_machine
from structbert_lite.cli.side import light_command
from structbert_lite.errors import StructBertError
from structbert_lite.inference.resources import usable_cpus
from structbert_lite.manifest import read_manifest
from structbert_lite.settings import PROJECT


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
            "light": light_command(model.resolve()),
        }
        figures = study(commands, [row["text"] for row in rows], expected, labels, (timed, rounds, cpus))
    except (StructBertError, RuntimeError, ValueError) as error:
        raise click.ClickException(str(error)) from None
    about = f"{len(rows)} texts, {rounds} rounds. {describe_machine()}."
    click.echo(json.dumps({"about": about, **figures}, indent=2) if as_json else table(about, figures))
