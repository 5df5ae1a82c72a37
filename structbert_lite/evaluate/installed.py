"""The models that the server would use, for studies: loaded when they are first asked, without a cache."""

import json
from collections.abc import Mapping
from pathlib import Path

import click

from structbert_lite.engine import Engine
from structbert_lite.manifest import read_manifest
from structbert_lite.request_context import RequestContext
from structbert_lite.settings import Settings

SECONDS = 600.0  # for one call


def open_engine(model: Path | None = None) -> Engine:
    """An engine of the installed models, or of the one in the folder `model` alone."""
    settings = Settings.from_environment().model_copy(update={"load": "lazy", "cache_mb": 0, "redis_url": ""})
    if model is not None:
        folder = model.resolve()
        names = {f"{task.replace('-', '_')}_model": folder.name for task in read_manifest(folder).tasks}
        settings = settings.model_copy(update={"models": folder.parent, **names})
    return Engine(settings)


def patient_context() -> RequestContext:
    """The context of a call that may take SECONDS."""
    return RequestContext.within(SECONDS)


def echo_figures(figures: Mapping[str, float], as_json: bool) -> None:
    """A figure a line by its name, or all as JSON."""
    if as_json:
        click.echo(json.dumps(figures, ensure_ascii=False, indent=2))
    else:
        click.echo("\n".join(f"{name:32}{value:8.4g}" for name, value in figures.items()))
