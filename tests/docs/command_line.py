"""A command line held against the parser of the command that it names, without running anything."""

import re
from collections.abc import Callable
from importlib import import_module

import click

from structbert_lite.settings import PROJECT

MAKEFILE = (PROJECT / "Makefile").read_text(encoding="utf-8")
TARGETS = set(re.search(r"^\.PHONY: (.*)$", MAKEFILE, re.MULTILINE)[1].split())
OURS = ("structbert_lite", "export", "training", "benchmarks", "tests")
THEIRS = {"gunicorn", "pip", "pytest", "venv"}
PLACEHOLDER = re.compile(r"[A-Z_]+(\.\w+)?|\.\.\.|…")


def check(words: list[str], complete: bool) -> bool:
    """Whether there was something to check. `complete`: what is required has to be there.

    Raises LookupError for a command, a target or a file that does not exist, and click's own errors.
    """
    words = words[1:] if words[0] == "sudo" else words
    program = words[0].rpartition("/")[2]
    if program == "make":
        _known({word for word in words[1:] if "=" not in word and not word.startswith("-")}, TARGETS, "target")
    elif program == "structbert-lite":
        parse(command_of("structbert_lite"), words[1:], complete)
    elif program in {"python", "python3"} and words[1] == "-m":
        if words[2].split(".")[0] not in OURS:
            _known({words[2]}, THEIRS, "module")
            return False
        command = command_of(words[2])
        if isinstance(command, click.Command):
            parse(command, words[3:], complete)
    elif program == "pip" and "-r" in words:
        _known({words[words.index("-r") + 1]}, {path.name for path in PROJECT.glob("requirements*.txt")}, "file")
    elif words[0].startswith("deploy/"):
        _known({words[0]}, {f"deploy/{path.name}" for path in (PROJECT / "deploy").iterdir()}, "file")
    else:
        return False
    return True


def command_of(name: str) -> Callable:
    """What `python -m NAME` runs, most often click's. Raises LookupError where there is no such module."""
    try:
        module = import_module(f"{name}.__main__" if (PROJECT / name.replace(".", "/")).is_dir() else name)
    except ModuleNotFoundError:
        raise LookupError(f"there is no module {name}") from None
    return module.main


def parse(command: click.Command, words: list[str], complete: bool) -> None:
    """Raises LookupError for an unknown subcommand, and UsageError for what the parser would refuse.

    What is a placeholder, or three dots for the rest, is not looked at.
    """
    words = [word for word in words if word not in {"...", "…"}]
    with click.Context(command, info_name=command.name) as context:
        if isinstance(command, click.Group) and words and not words[0].startswith("-"):
            if PLACEHOLDER.fullmatch(words[0]):
                return
            inner = command.get_command(context, words[0])
            if inner is None:
                raise LookupError(f"{command.name} has no command {words[0]}")
            parse(inner, words[1:], complete)
            return
        given, rest, order = command.make_parser(context).parse_args(list(words))
        if rest and not isinstance(command, click.Group):
            raise click.UsageError(f"unexpected: {rest}")
        for parameter in command.params:
            if parameter in order and isinstance(parameter.type, click.Choice | click.types.IntParamType):
                value = given[parameter.name]
                for one in value if isinstance(value, list | tuple) else [value]:
                    if isinstance(one, str) and not PLACEHOLDER.fullmatch(one):
                        parameter.type.convert(one, parameter, context)
            if complete and parameter.required and (parameter not in order or not given[parameter.name]):
                raise click.MissingParameter(param=parameter)


def _known(names: set[str], known: set[str], kind: str) -> None:
    if names - known:
        raise LookupError(f"there is no {kind} {', '.join(sorted(names - known))}")
