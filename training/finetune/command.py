"""The options of `python -m training sentiment`. No torch in here: --help and a wrong option need none of it."""

import shlex
import signal
import sys
from pathlib import Path
from typing import Any

import click

from export.environment import MODULES, check_requirements
from structbert_lite.errors import StructBertError
from structbert_lite.manifest import read_manifest

FILE = click.Path(dir_okay=False, path_type=Path)
FOLDER = click.Path(file_okay=False, path_type=Path)


def _pairs(context: click.Context, option: click.Parameter, values: tuple[str, ...]) -> dict[str, str]:
    pairs = dict(value.split("=", 1) for value in values if "=" in value)
    if len(pairs) < len(values) or not all(new.strip() for new in pairs.values()):
        raise click.BadParameter("takes OLD=NEW, each OLD once", context, option)
    return {old.strip(): " ".join(new.split()) for old, new in pairs.items()}


@click.command()
@click.option(
    "--train", type=FILE, required=True, help="CSV, TSV or JSON Lines (.jsonl) with a text and a label a row."
)
@click.option("--text-column", default="text", show_default=True, help="Name of the texts' column or field.")
@click.option("--label-column", default="label", show_default=True, help="Name of the labels' column or field.")
@click.option("--out", type=FOLDER, required=True, help="The model's folder, e.g. models/mine.")
@click.option("--dev", type=FILE, help="Rows to measure on.  [default: taken from --train, of each label its share]")
@click.option(
    "--dev-share",
    type=click.FloatRange(0, 0.5, min_open=True),
    help="Share of --train to measure on.  [default: 0.2 below 1,000 rows, else 0.1]",
)
@click.option(
    "--rename", "renames", multiple=True, callback=_pairs, metavar="OLD=NEW", help="Another name for a label."
)
@click.option("--least-rows", type=click.IntRange(2), default=5, show_default=True, help="Texts a label has to have.")
@click.option("--drop-rare", is_flag=True, help="Leave labels with fewer texts out instead of refusing.")
@click.option(
    "--base", type=FOLDER, help="A BERT or StructBERT checkpoint.  [default: the default sentiment model's encoder]"
)
@click.option("--epochs", type=click.IntRange(1), help="Passes at the most.  [default: 20 to 3, by the number of rows]")
@click.option(
    "--patience", type=click.IntRange(1), default=3, show_default=True, help="Passes without a better macro-F1."
)
@click.option(
    "--learning-rate",
    type=click.FloatRange(0, min_open=True),
    help="[default: 1.5e-4 for up to 6 layers, 4e-5 for more]",
)
@click.option(
    "--max-tokens", type=click.IntRange(3), help="Longest input.  [default: what the base reads, at most 512]"
)
@click.option("--seed", type=int, default=20, show_default=True, help="Of the order of the rows, among other things.")
@click.option("--run", type=FOLDER, help="Where the run and its report are kept.  [default: runs/finetune/NAME]")
@click.option("--restart", is_flag=True, help="Begin again where --run holds an earlier run.")
@click.option(
    "--min-agreement", type=click.FloatRange(0, 1), default=0.98, show_default=True, help="As in python -m export."
)
@click.option(
    "--early-exit",
    type=FILE,
    metavar="TEXTS",
    help="1,000 texts or more such as the model will read, without labels: one that is clear after a few layers leaves "
    "there.  [default: every text passes all layers]",
)
@click.option("--license", "licence", help="Licence of the model.  [default: what the base states]")
@click.option("--force", "replace", is_flag=True, help="Replace the model that is at --out.")
def sentiment(train: Path, text_column: str, label_column: str, out: Path, run: Path | None, **options: Any) -> None:
    """Fine-tune a classifier on your own labels, and put it where the server finds it.

    Run the same command again after a stop and it goes on where it was. See docs/fine-tuning.md.
    """
    signal.signal(signal.SIGTERM, _stop)
    try:
        check_requirements((*MODULES, "sklearn", "matplotlib"), "requirements-train.txt")
        from training.finetune.run import Finetuning, run_finetuning

        run = run or Path("runs/finetune") / out.resolve().name
        columns = (text_column, label_column)
        report = run_finetuning(Finetuning(train=train, out=out, run=run, columns=columns, **options))
    except StructBertError as error:
        _refuse(str(error))
    except OSError as error:  # a full disk, a file that may not be read
        _refuse(": ".join(filter(None, [error.strerror or str(error), error.filename and str(error.filename)])))
    labels = len(read_manifest(out).labels)
    click.echo(f"report: {report}\nmodel: {out} ({labels} labels)\nserve it: {serve_command(out)}")


def serve_command(out: Path) -> str:
    """The command that starts the server with the model in `out`."""
    folder = out.resolve()
    models = (
        "" if folder.parent == Path("models").resolve() else f"STRUCTBERT_MODELS={shlex.quote(str(folder.parent))} "
    )
    return f"{models}STRUCTBERT_SENTIMENT_MODEL={shlex.quote(folder.name)} make serve"


def _stop(number: int, frame: object) -> None:
    raise KeyboardInterrupt  # so that a half-made export is removed on `kill` too; training goes on from its last save


def _refuse(reason: str) -> None:
    click.echo(f"training: refused: {reason}", err=True)
    sys.exit(1)
