"""`python -m structbert_lite evaluate COMMAND`: what a model does with your own data."""

import click

from structbert_lite.cli.lazy import LazyGroup

COMMANDS = {
    "accuracy": "structbert_lite.evaluate.accuracy",
    "aspects": "structbert_lite.evaluate.aspects",
    "behaviour": "structbert_lite.evaluate.behaviour",
    "batch-size": "structbert_lite.evaluate.batch_size",
    "compare": "structbert_lite.evaluate.compare",
    "explain": "structbert_lite.evaluate.explain",
    "quality": "structbert_lite.evaluate.quality",
}


@click.group("evaluate", cls=LazyGroup, modules=COMMANDS)
def command() -> None:
    """What a model does with your own data."""
