"""What the documentation names is there: settings, metrics, files, the commands' options."""

import re

import click
import pytest
from flask.testing import FlaskClient

from export.__main__ import main as export
from structbert_lite.__main__ import main as structbert_lite
from structbert_lite.manifest import find_models
from structbert_lite.settings import PREFIX, PROJECT, Settings
from tests.docs.pages import PAGES, inline, name_of, read
from tests.telemetry.scrape import parse
from training.__main__ import main as training

SETTINGS = {PREFIX + name.upper() for name in Settings.model_fields}
OTHERS = [PROJECT / "Dockerfile", PROJECT / "Makefile", *(PROJECT / "deploy").rglob("*.*ml")]
FILE = re.compile(r"[\w-]+(/[\w.*-]+)+\.(py|sh|html|js|j2|txt|toml)")


@pytest.mark.parametrize("page", [*PAGES, *OTHERS], ids=name_of)
def test_settings_exist(page) -> None:
    assert set(re.findall(rf"\b{PREFIX}[A-Z_]*[A-Z]\b", read(page))) <= SETTINGS


def test_every_setting_is_listed_with_its_default_and_its_meaning() -> None:
    rows = re.findall(r"^\| `(\w+)` \| `?(.*?)`? \| (.*) \|$", read(PROJECT / "docs/settings.md"), re.MULTILINE)
    fields = Settings.model_fields.items()
    expected = {PREFIX + name.upper(): (str(field.default), field.description) for name, field in fields}
    expected[f"{PREFIX}MODELS"] = ("models", Settings.model_fields["models"].description)
    assert {name: (default, meaning) for name, default, meaning in rows} == expected


def test_the_default_models_are_listed() -> None:
    page = read(PROJECT / "docs/models.md")
    rows = re.findall(r"^\| \[(\S+)\]\(\S+\) \| (.*?) \| .*? \| (.*?) ?\| (\d+) \|$", page, re.MULTILINE)
    models = find_models(PROJECT / "models")
    assert {name: (tuple(tasks.split(", ")), labels, int(tokens)) for name, tasks, labels, tokens in rows} == {
        name: (one.tasks, ", ".join(one.labels), one.max_tokens) for name, one in models.items()
    }


def test_metrics_exist(tiny_client: FlaskClient) -> None:
    tiny_client.post("/predict", json={"text": ""})
    exposed = {sample.name for sample in parse(tiny_client.get("/metrics").get_data(as_text=True)).samples}
    families = {re.sub("_(bucket|count|sum)$", "", name) for name in exposed}
    for page in PAGES:
        named = set(re.findall(r"\b(?:structbert|process)_[a-z]+_[a-z_]+", " ".join(inline(read(page)))))
        assert {name for name in named if not name.startswith("structbert_lite_")} <= exposed | families, page


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_files_exist(page) -> None:
    """A file is named from the repository's root, or from that of the package."""
    for code in inline(read(page)):
        if FILE.fullmatch(code):
            assert [*PROJECT.glob(code), *(PROJECT / "structbert_lite").glob(code)], code


@pytest.mark.parametrize("main", [structbert_lite, export, training], ids=["structbert_lite", "export", "training"])
def test_every_option_says_what_it_is_for(main: click.Command) -> None:
    silent = [
        f"{path} {parameter.opts[0]}"
        for path, command in commands("", main)
        for parameter in command.params
        if isinstance(parameter, click.Option) and not (parameter.help or parameter.hidden)
    ]
    assert not silent
    assert not [path for path, command in commands("", main) if not command.help]


def commands(path: str, command: click.Command):
    yield path, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            yield from commands(f"{path} {name}", command.get_command(context, name))
