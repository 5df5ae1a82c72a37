"""`python -m export.early_exit`: gives an exported classifier exits, for texts that are clear after a few layers."""

import shutil
import signal
import sys
from pathlib import Path

import click

from export.early_exit import AGREEMENT
from export.environment import check_requirements
from structbert_lite.errors import StructBertError

FOLDER = click.Path(file_okay=False, path_type=Path)
FILE = click.Path(dir_okay=False, path_type=Path)


@click.command(help=__doc__)
@click.option("--model", type=FOLDER, required=True, help="The model's folder; it is replaced when all is done.")
@click.option(
    "--texts",
    type=FILE,
    required=True,
    help="1,000 texts or more such as the model will read: one a line, or .tsv or .csv with a column text, and label "
    "if they have labels. Half of them is fitted to, a quarter each is for choosing thresholds and for checking.",
)
@click.option(
    "--agreement",
    type=click.FloatRange(0.5, 1),
    default=AGREEMENT,
    show_default=True,
    help="Share of the texts that have to get the answer that they get without exits.",
)
def main(model: Path, texts: Path, agreement: float) -> None:
    signal.signal(signal.SIGTERM, _stop)
    try:
        check_requirements(("onnx", "onnxruntime", "tokenizers"))
        from export.card import CARD_NAME
        from export.describe import write_manifest
        from export.early_exit.card import append_section
        from export.early_exit.rows import read_rows
        from export.early_exit.step import check_kind, with_exits
        from export.progress import Stages
        from export.publish import build_aside, check_target, publish
        from structbert_lite.manifest import read_manifest

        out = check_target(model, True)
        manifest = read_manifest(out)
        check_kind(manifest)
        rows = read_rows(texts, manifest.labels)
        with build_aside(out) as aside:
            made = aside / "model"
            shutil.copytree(out, made)
            manifest = with_exits(Stages(1), made, manifest, rows, agreement)
            append_section(made / CARD_NAME, manifest)
            write_manifest(made, manifest)
            publish(made, out, True)
    except StructBertError as error:
        _refuse(str(error))
    except OSError as error:  # a full disk, a file that may not be read
        _refuse(": ".join(filter(None, [error.strerror or str(error), error.filename and str(error.filename)])))
    click.echo(f"done: {out}")


def _refuse(reason: str) -> None:
    click.echo(f"export: refused: {reason}", err=True)
    sys.exit(1)


def _stop(number: int, frame: object) -> None:
    raise KeyboardInterrupt  # so that the folder aside is removed on `kill`


if __name__ == "__main__":
    main()
