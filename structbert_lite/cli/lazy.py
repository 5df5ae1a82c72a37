"""A group of commands, each imported when it is chosen."""

from importlib import import_module
from typing import Any

import click


class LazyGroup(click.Group):
    """`modules` maps a command's name to a module with a `command` in it, or to module:function."""

    def __init__(self, *args: Any, modules: dict[str, str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._modules = modules

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(self._modules)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self._modules:
            return None
        module, _, name = self._modules[cmd_name].partition(":")
        command: click.Command = getattr(import_module(module), name or "command")
        return command
