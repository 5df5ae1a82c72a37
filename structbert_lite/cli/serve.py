"""`python -m structbert_lite serve`: the server, from a checkout or from an installed wheel."""

import os
import sys

import click

from structbert_lite.errors import StructBertError
from structbert_lite.model_selection import require_models
from structbert_lite.settings import PROJECT, Settings


@click.command("serve")
def command() -> None:
    """The server on http://localhost:5000; STRUCTBERT_ variables set it up (docs/settings.md)."""
    try:
        require_models(Settings.from_environment())
    except StructBertError as error:
        raise click.ClickException(str(error)) from None
    # In its place, so that signals and the process number are gunicorn's. `app` is found beside its configuration.
    config = str(PROJECT / "gunicorn.conf.py")
    os.execv(sys.executable, [sys.executable, "-m", "gunicorn", "-c", config, "--pythonpath", str(PROJECT)])
