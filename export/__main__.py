"""`python -m export`: turns a PyTorch checkpoint into a quantized ONNX model that the server can load."""

import signal
import sys
from pathlib import Path

import click

from export.early_exit import AGREEMENT
from export.environment import check_requirements
from export.tasks import TASKS
from export.texts import DEFAULT_TEXTS
from structbert_lite.errors import StructBertError
from structbert_lite.manifest import split_labels

FILE = click.Path(path_type=Path)


@click.command(help=__doc__)
@click.option("--task", type=click.Choice(list(TASKS)), required=True, help="What the model is for.")
@click.option(
    "--checkpoint", required=True, help="A folder, or an id: damo/NAME, iic/NAME, OWNER/NAME, modelscope:ID, hf:ID."
)
@click.option("--out", type=FILE, required=True, help="The model's folder, e.g. models/NAME; it must not exist yet.")
@click.option(
    "--texts",
    type=FILE,
    default=DEFAULT_TEXTS,
    show_default="about 100 sentences",
    help="UTF-8 file, one text a line, for calibrating int8 and for its check; pairs are made from them.",
)
@click.option(
    "--min-agreement",
    type=click.FloatRange(0, 1),
    default=0.98,
    show_default=True,
    help="How closely int8 has to follow float32: the share of texts or pairs that keep their label; of an encoder the "
    "mean cosine; of a reranker the correlation of the scores.",
)
@click.option(
    "--max-tokens", type=click.IntRange(3), help="Longest input.  [default: what the checkpoint reads, at most 512]"
)
@click.option(
    "--labels",
    metavar="A,B,...",
    help="The labels in the order of the logits, as a JSON array where they have commas; of --task sentiment any two "
    "or more.  "
    "[default: what the checkpoint states]",
)
@click.option(
    "--pooling",
    type=click.Choice(["mean", "cls"]),
    help="How an encoder's token vectors become one.  [default: what the checkpoint states]",
)
@click.option(
    "--calibration",
    type=FILE,
    help="TSV or CSV with text_a, text_b and label (0 or 1), for the scores of --task similarity.  "
    "[default: the checkpoint's calibration.json]",
)
@click.option(
    "--early-exit",
    type=FILE,
    metavar="TEXTS",
    help="1,000 texts or more such as the model will read, for exits of a --task sentiment model: as --texts of "
    "python -m export.early_exit, which does the same to a model that is exported already.",
)
@click.option(
    "--agreement",
    type=click.FloatRange(0.5, 1),
    default=AGREEMENT,
    show_default=True,
    help="Share of the texts of --early-exit that have to get the answer that they get without exits.",
)
@click.option("--license", "licence", help="Licence of the weights.  [default: what the checkpoint states]")
@click.option("--force", is_flag=True, help="Replace the model that is at --out.")
def main(
    task: str,
    checkpoint: str,
    out: Path,
    texts: Path,
    min_agreement: float,
    max_tokens: int | None,
    labels: str | None,
    pooling: str | None,
    calibration: Path | None,
    early_exit: Path | None,
    agreement: float,
    licence: str | None,
    force: bool,
) -> None:
    signal.signal(signal.SIGTERM, _stop)
    try:
        named = split_labels(labels) if labels is not None else None
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--labels") from None
    try:
        check_requirements()
        # Imported here: torch takes seconds, and --help and a wrong --out need none of it.
        from export.publish import check_target
        from export.source import find_source

        check_target(out, force)
        source = find_source(checkpoint)
        click.echo("loading PyTorch ...")
        from export.run import Export, run_export

        limits = (min_agreement, max_tokens, licence, force)
        stated = named, pooling, calibration
        exits = early_exit, agreement
        made = run_export(Export(source, out, texts, task, *limits, *stated, *exits))
    except StructBertError as error:
        _refuse(str(error))
    except OSError as error:  # a full disk, a file that may not be read
        _refuse(": ".join(filter(None, [error.strerror or str(error), error.filename and str(error.filename)])))
    click.echo(f"done: {made}")


def _refuse(reason: str) -> None:
    click.echo(f"export: refused: {reason}", err=True)
    sys.exit(1)


def _stop(number: int, frame: object) -> None:
    raise KeyboardInterrupt  # so that the folder aside is removed on `kill` and `docker stop` too


if __name__ == "__main__":
    main()
