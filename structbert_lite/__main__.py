"""`python -m structbert_lite COMMAND`; each command is imported when it is chosen."""

from importlib import import_module

import click

COMMANDS = {
    "benchmark": "structbert_lite.cli.benchmark",
    "evaluate": "structbert_lite.cli.evaluate",
}


class LazyGroup(click.Group):
    """A group whose commands live in modules of their own, each with a `command` in it."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        return import_module(COMMANDS[cmd_name]).command if cmd_name in COMMANDS else None


@click.group(cls=LazyGroup)
def main() -> None:
    """StructBERT Lite: Chinese text understanding on a CPU."""


if __name__ == "__main__":
    main(prog_name="python -m structbert_lite")
