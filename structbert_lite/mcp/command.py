"""`structbert-lite mcp`: the tasks as tools for agents."""

import logging
import sys
from contextlib import closing

import click

from structbert_lite.engine import Engine
from structbert_lite.errors import StructBertError
from structbert_lite.model_selection import require_models
from structbert_lite.settings import Settings
from structbert_lite.telemetry.logs import configure_logs


@click.command("mcp")
@click.option("--http", "over_http", is_flag=True, help="Streamable HTTP instead of standard input and output.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on, with --http.")
@click.option("--port", type=click.IntRange(1, 65535), default=5001, show_default=True, help="Port, with --http.")
def command(over_http: bool, host: str, port: int) -> None:
    """The tasks as tools for agents that speak the Model Context Protocol, on standard input and output or over HTTP.

    Everything is answered in this process; each model is loaded when a tool first wants it.
    """
    try:
        import anyio

        from structbert_lite.mcp.http import serve_http
        from structbert_lite.mcp.server import make_server
        from structbert_lite.mcp.stdio import serve_stdio
    except ModuleNotFoundError as error:
        raise click.ClickException(
            f"this needs the Model Context Protocol's SDK: pip install -r requirements-mcp.txt ({error})"
        ) from None
    try:
        settings = Settings.from_environment().model_copy(update={"host": host, "port": port, "load": "lazy"})
        require_models(settings)
        configure_logs(settings.log_level, settings.log_format)  # they go to standard error
        logging.getLogger("mcp").setLevel(logging.WARNING)  # it tells of each request
        if not over_http and sys.stdin.isatty():
            click.echo("an agent's program is to start this and speak to it (docs/mcp.md); Ctrl-D ends", err=True)
        with closing(Engine(settings)) as engine:
            anyio.run(serve_http if over_http else serve_stdio, make_server(engine, settings), settings)
    except StructBertError as error:
        raise click.ClickException(str(error)) from None
