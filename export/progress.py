"""One numbered line for each stage of an export."""

import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import click

Item = TypeVar("Item")

LONG = 500  # texts from which a progress bar is shown


class Stage:
    """One running stage: `say` adds to its line."""

    def __init__(self, title: str) -> None:
        self.title = title
        self.results: list[str] = []

    def say(self, result: str) -> None:
        self.results.append(result)

    def watch(self, items: Iterable[Item], count: int) -> Iterable[Item]:
        """`items` themselves, with a progress bar on a terminal when there are many."""
        if count < LONG or not sys.stderr.isatty():
            return items
        from tqdm import tqdm

        click.echo()
        watched: Iterable[Item] = tqdm(items, total=count, desc=self.title, unit="text", leave=False)
        return watched


class Stages:
    """Numbers the stages and prints each as `[2/6] title ... result (1.2 s)`."""

    def __init__(self, total: int) -> None:
        self.total = total
        self.done = 0

    @contextmanager
    def stage(self, title: str) -> Iterator[Stage]:
        """Prints the title at once and the results and seconds at the end."""
        self.done += 1
        click.echo(f"[{self.done}/{self.total}] {title} ... ", nl=False)
        sys.stdout.flush()
        started = time.monotonic()
        stage = Stage(title)
        try:
            yield stage
        except BaseException:
            click.echo("stopped")
            raise
        click.echo(f"{', '.join(stage.results)} ({time.monotonic() - started:.1f} s)")
