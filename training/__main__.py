"""`python -m training`: fine-tunes on your own labels, and makes the default models. See docs/fine-tuning.md."""

import json
from pathlib import Path

import click

from training.finetune.command import sentiment

FOLDER = click.Path(file_okay=False, path_type=Path)
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
BASE = "The base encoder; downloaded where it is not there."
RUN = "Folder of the run: weights and figures; a further start goes on from there."


@click.group(help=__doc__)
def main() -> None:
    pass


main.add_command(sentiment)


@main.command()
@click.option("--out", type=FOLDER, default=Path("runs/base"), show_default=True, help="Where it is put.")
def base(out: Path) -> None:
    """Download the base encoder (research use only) and check its digest."""
    from training.base import fetch_base

    click.echo(f"base encoder in {fetch_base(out)}")


@main.command("default-sentiment")
@click.option("--data", type=FOLDER, required=True, help="Folder with pool/, chnsenticorp/, book_review_douban/, ...")
@click.option("--base", type=FOLDER, default=Path("runs/base"), show_default=True, help=BASE)
@click.option("--out", type=FOLDER, default=Path("runs/sentiment"), show_default=True, help=RUN)
@click.option("--teacher", type=FOLDER, help="An earlier run: soften doubtful labels, add unlabelled texts.")
@click.option("--trust", type=click.FloatRange(0, 1), default=0.4, show_default=True, help="Weight of n-grams.")
@click.option("--epochs", type=click.IntRange(1), default=2, show_default=True, help="Passes over the data.")
@click.option(
    "--learning-rate", type=float, default=1.5e-4, show_default=True, help="Of the top layer, at its highest."
)
@click.option("--seed", type=int, default=20, show_default=True, help="Of the order of the rows, among other things.")
def default_sentiment(
    data: Path, base: Path, out: Path, teacher: Path | None, trust: float, epochs: int, learning_rate: float, seed: int
) -> None:
    """Train the default sentiment model; run again after a stop and it goes on where it was."""
    from training.base import fetch_base
    from training.loop import Recipe
    from training.sentiment import run

    recipe = Recipe(epochs=epochs, learning_rate=learning_rate, seed=seed)
    _show(run(data, fetch_base(base), out, recipe, teacher, trust))


@main.command()
@click.option(
    "--data", type=FOLDER, required=True, help="Folder with similarity/, nli/, retrieval/; see docs/training.md."
)
@click.option(
    "--base", type=FOLDER, default=Path("runs/base"), show_default=True, help=f"{BASE} Or a run, for a second pass."
)
@click.option("--out", type=FOLDER, default=Path("runs/similarity"), show_default=True, help=RUN)
def similarity(data: Path, base: Path, out: Path) -> None:
    """Train the Siamese encoder behind similarity and embeddings; resumable."""
    from training.base import fetch_base
    from training.similarity import run

    _show(run(data, fetch_base(base), out))


@main.command()
@click.option("--data", type=FOLDER, required=True, help="Folder with retrieval/; see docs/training.md.")
@click.option(
    "--base",
    type=FOLDER,
    default=Path("runs/base"),
    show_default=True,
    help="The base encoder, or a run.",
)
@click.option("--out", type=FOLDER, default=Path("runs/rerank"), show_default=True, help=RUN)
def rerank(data: Path, base: Path, out: Path) -> None:
    """Train the reranker; resumable."""
    from training.base import fetch_base
    from training.rerank import run

    _show(run(data, fetch_base(base), out))


@main.command("zero-shot")
@click.option(
    "--data", type=FOLDER, required=True, help="Folder with nli/, topic/, intent/, ...; see docs/training.md."
)
@click.option(
    "--base", type=FOLDER, default=Path("runs/rerank-1"), show_default=True, help="A cross-encoder to start from."
)
@click.option("--out", type=FOLDER, default=Path("runs/zero-shot"), show_default=True, help=RUN)
def zero_shot(data: Path, base: Path, out: Path) -> None:
    """Train the zero-shot classifier; resumable."""
    from training.zero_shot import run

    _show(run(data, base, out))


@main.command()
@click.option("--model", type=FOLDER, required=True, help="The int8 model: similarity, rerank or zero-shot.")
@click.option("--base", type=FOLDER, default=Path("runs/base"), show_default=True, help=BASE)
@click.option("--out", type=FOLDER, required=True, help="A folder for the checkpoint, which training can start from.")
def recover(model: Path, base: Path, out: Path) -> None:
    """Read the weights of one of our models back from its int8 file, to train it further."""
    from training.base import fetch_base
    from training.recover import recover as read_back

    click.echo(f"wrote {read_back(model, fetch_base(base), out)}")


@main.command()
@click.option(
    "--task",
    type=click.Choice(["sentiment", "similarity"]),
    default="sentiment",
    show_default=True,
    help="Of the runs.",
)
@click.option("--data", type=FOLDER, required=True, help="As for the task's training; its dev rows measure the result.")
@click.option("--run", "runs", type=(FOLDER, float), multiple=True, required=True, help="Folder and its weight.")
@click.option("--out", type=FOLDER, required=True, help="A folder for the averaged model.")
def average(task: str, data: Path, runs: tuple[tuple[Path, float], ...], out: Path) -> None:
    """Average the weights of several runs, or of runs and their base, into one model, and measure it."""
    from training.average import average as mean
    from training.sentiment import load_examples, report_on
    from training.similarity import report_on as report_on_pairs

    mean([run for run, _ in runs], [weight for _, weight in runs], out)
    _show(report_on(out, load_examples(data)[1]) if task == "sentiment" else report_on_pairs(out, data))


@main.command()
@click.option("--run", type=FOLDER, required=True, help="What `default-sentiment --out` wrote.")
@click.option("--int8", type=FILE, required=True, help="evaluate accuracy MODEL RUN/dev.tsv --by source --json")
@click.option(
    "--suite",
    type=FILE,
    required=True,
    help="evaluate accuracy MODEL tests/quality/sentiment_suite.tsv --by kind --json",
)
def card(run: Path, int8: Path, suite: Path) -> None:
    """Write the run's MODEL_CARD.md from its figures; export it again to take the card along."""
    from training.card import write_card

    click.echo(f"wrote {write_card(run, int8, suite)}")


@main.command("task-card")
@click.option("--task", type=click.Choice(["similarity", "rerank", "zero-shot"]), required=True, help="What it is for.")
@click.option("--run", type=FOLDER, required=True, help="What the task's command wrote.")
@click.option("--quality", "reports", type=FILE, multiple=True, required=True, help="evaluate quality --json")
def task_card(task: str, run: Path, reports: tuple[Path, ...]) -> None:
    """Write the run's MODEL_CARD.md from reports of its figures; export it again to take the card along."""
    from training.task_card import write_task_card

    click.echo(f"wrote {write_task_card(run, task, list(reports))}")


def _show(figures: dict) -> None:
    click.echo(json.dumps(figures, ensure_ascii=False, indent=2))


if __name__ == "__main__":
    main()
