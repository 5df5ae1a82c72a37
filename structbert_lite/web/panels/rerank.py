"""The page of reranking: a query and passages, best first."""

from collections.abc import Mapping

from structbert_lite.results import Ranked
from structbert_lite.web.pages import Ask, Panel
from structbert_lite.web.panels.split import split_passages


def _answer(fields: Mapping[str, str], ask: Ask) -> list[tuple[str, Ranked]]:
    """Passages with their results, most relevant first."""
    passages = split_passages(fields["documents"]) or [""]  # the pipeline says what is wrong with an empty text
    return [(passages[ranked.index], ranked) for ranked in ask(passages, query=fields["query"])]


PANEL = Panel("rerank", "rerank", "/ui/rerank", "api.rerank", ("query", "documents"), _answer)
