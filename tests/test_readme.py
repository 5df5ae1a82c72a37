"""The README tells the truth: its examples give what it shows."""

import json
import re
import shlex

import pytest
from flask.testing import FlaskClient

from structbert_lite.settings import PROJECT

README = (PROJECT / "README.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```\n(curl .*?)\n```\n```json\n(.*?)\n```", README, re.DOTALL)


@pytest.mark.parametrize(("command", "shown"), EXAMPLES)
def test_an_example_gives_what_is_shown(client: FlaskClient, command: str, shown: str) -> None:
    words = shlex.split(command)
    route = next(word for word in words if word.startswith("localhost:5000")).removeprefix("localhost:5000")
    body = words[words.index("-d") + 1]
    answer = client.post(route, data=body, content_type="application/json")
    # The last decimals of a score may differ between CPUs: float32 operators are not the same on all of them.
    assert rounded(json.loads(answer.data)) == rounded(json.loads(shown))


def test_there_are_examples() -> None:
    assert len(EXAMPLES) == 8


def rounded(value: object) -> object:
    if isinstance(value, dict):
        return {name: rounded(member) for name, member in value.items()}
    if isinstance(value, list):
        return [rounded(item) for item in value]
    return round(value, 3) if isinstance(value, float) else value
