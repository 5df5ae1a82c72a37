"""`python -m structbert_lite COMMAND`; each command is imported when it is chosen."""

import click

from structbert_lite import __version__
from structbert_lite.cli.lazy import LazyGroup

COMMANDS = {
    "benchmark": "structbert_lite.bench.benchmark",
    "evaluate": "structbert_lite.evaluate.command",
    "mcp": "structbert_lite.mcp.command",
    "overload": "structbert_lite.bench.overload",
    "score": "structbert_lite.bulk.command",
    "serve": "structbert_lite.cli.serve",
    **{
        name: f"structbert_lite.cli.one_shot:{name}"
        for name in ("predict", "similarity", "classify", "rerank", "embed")
    },
}


@click.group(cls=LazyGroup, modules=COMMANDS)
@click.version_option(__version__, prog_name="structbert-lite")
def main() -> None:
    """StructBERT Lite: Chinese text understanding on a CPU."""


if __name__ == "__main__":
    main(prog_name="python -m structbert_lite")
