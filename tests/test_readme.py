"""Both READMEs tell the truth, and the same: the examples give what they show."""

import json
import re
import shlex

import pytest
from flask.testing import FlaskClient

from structbert_lite.settings import PROJECT
from tests.docs.pages import FENCED, INLINE, links

ENGLISH, CHINESE = ((PROJECT / name).read_text(encoding="utf-8") for name in ("README.md", "README.zh-CN.md"))
EXAMPLES = re.compile(r"```\n(curl .*?)\n```\n```json\n(.*?)\n```", re.DOTALL)


@pytest.mark.parametrize(("command", "shown"), EXAMPLES.findall(ENGLISH))
def test_an_example_gives_what_is_shown(client: FlaskClient, command: str, shown: str) -> None:
    words = shlex.split(command)
    route = next(word for word in words if word.startswith("localhost:5000")).removeprefix("localhost:5000")
    body = words[words.index("-d") + 1]
    answer = client.post(route, data=body, content_type="application/json")
    # The last decimals of a score may differ between CPUs: float32 operators are not the same on all of them.
    assert rounded(json.loads(answer.data)) == rounded(json.loads(shown))


def test_there_are_examples() -> None:
    assert len(EXAMPLES.findall(ENGLISH)) == 8


def test_both_have_the_same_commands_and_examples() -> None:
    assert FENCED.findall(CHINESE) == FENCED.findall(ENGLISH)


def test_both_lead_to_the_same_places() -> None:
    def places(page: str) -> list[str]:
        return sorted(link for link in links(page) if not link.startswith(("#", "README")))

    assert places(CHINESE) == places(ENGLISH)


def test_both_have_the_same_figures_and_names() -> None:
    def facts(page: str) -> list[str]:
        prose = FENCED.sub("", page)
        return sorted(INLINE.findall(prose) + re.findall(r"\d[\d.,]*\d|\d", INLINE.sub("", prose)))

    assert facts(CHINESE) == facts(ENGLISH)


def rounded(value: object) -> object:
    if isinstance(value, dict):
        return {name: rounded(member) for name, member in value.items()}
    if isinstance(value, list):
        return [rounded(item) for item in value]
    return round(value, 3) if isinstance(value, float) else value
