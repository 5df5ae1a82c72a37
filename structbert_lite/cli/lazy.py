"""A group of commands, each imported when it is chosen."""

from importlib import import_module
from typing import Any

import click


class LazyGroup(click.Group):
    """`modules` maps a command's name to a module with a `command` in it."""

    def __init__(self, *args: Any, modules: dict[str, str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._modules = modules

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(self._modules)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        return import_module(self._modules[cmd_name]).command if cmd_name in self._modules else None
