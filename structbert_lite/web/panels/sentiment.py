"""The page at `/`: one text, its label and the probability of each label."""

from collections.abc import Mapping

from structbert_lite.results import Classification
from structbert_lite.web.middleware import renamed
from structbert_lite.web.pages import Ask, Panel


def _answer(fields: Mapping[str, str], ask: Ask) -> Classification:
    result: Classification
    with renamed({"texts[0]": "text"}):
        (result,) = ask([fields["text"]])
    return result


PANEL = Panel("sentiment", "sentiment", "/", "api.predict", ("text",), _answer)
