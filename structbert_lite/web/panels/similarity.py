"""The page of similarity: a text against one other, or against several, one a line."""

from collections.abc import Mapping

from structbert_lite.results import Similarity
from structbert_lite.web.middleware import renamed
from structbert_lite.web.pages import Ask, Panel
from structbert_lite.web.panels.split import split_lines


def _answer(fields: Mapping[str, str], ask: Ask) -> list[Similarity]:
    """Most alike first."""
    others = split_lines(fields["text_b"]) or [""]  # the pipeline says what is wrong with an empty text
    names = {"pairs[0][0]": "text_a"} | {f"pairs[{i}][1]": "text_b" for i in range(len(others))}
    with renamed(names):
        results = ask([(fields["text_a"], other) for other in others])
    return sorted(results, key=lambda result: -result.score)


PANEL = Panel("similarity", "similarity", "/ui/similarity", "api.similarity", ("text_a", "text_b"), _answer)
