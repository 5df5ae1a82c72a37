"""The page of each task: its form, read and answered without any script."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from structbert_lite.errors import TooManyItems
from structbert_lite.manifest import Task
from structbert_lite.results import Classification, Ranked, Similarity, ZeroShot, as_numbers
from structbert_lite.web.scatter import height_of, points_of
from structbert_lite.web.schemas import map_error_fields

# (inputs, **options) -> results: the engine's `predict` of this panel's task with this request's deadline.
Ask = Callable[..., list[Any]]


@dataclass(frozen=True)
class Panel:
    """`name` of the template, the script and the page's endpoint; `api`: the endpoint of the JSON route behind it.

    `answer` takes the form's fields, line ends as LF, and returns what the template shows.
    """

    task: Task
    name: str
    path: str
    api: str
    fields: tuple[str, ...]
    answer: Callable[[Mapping[str, str], Ask], Any]
    max_items: int | None = None  # where the page shows fewer than the API takes


def _answer_sentiment(fields: Mapping[str, str], ask: Ask) -> Classification:
    result: Classification
    with map_error_fields({"texts[0]": "text"}):
        (result,) = ask([fields["text"]])
    return result


def _answer_similarity(fields: Mapping[str, str], ask: Ask) -> list[Similarity]:
    """Most alike first."""
    others = split_lines(fields["text_b"]) or [""]  # the pipeline says what is wrong with an empty text
    names = {"pairs[0][0]": "text_a"} | {f"pairs[{i}][1]": "text_b" for i in range(len(others))}
    with map_error_fields(names):
        results = ask([(fields["text_a"], other) for other in others])
    return sorted(results, key=lambda result: -result.score)


FIELDS = ("text", "labels", "multi_label", "hypothesis_template")
LABEL_ALONE = "{}"


def _answer_zero_shot(fields: Mapping[str, str], ask: Ask) -> ZeroShot:
    result: ZeroShot
    with map_error_fields({"texts[0]": "text"}):
        (result,) = ask(
            [fields["text"]],
            labels=split_labels(fields["labels"]),
            multi_label=bool(fields["multi_label"]),
            hypothesis_template=fields["hypothesis_template"].strip() or LABEL_ALONE,
        )
    return result


def _answer_rerank(fields: Mapping[str, str], ask: Ask) -> list[tuple[str, Ranked]]:
    """Passages with their results, most relevant first."""
    passages = split_passages(fields["documents"]) or [""]  # the pipeline says what is wrong with an empty text
    return [(passages[ranked.index], ranked) for ranked in ask(passages, query=fields["query"])]


MAX_SENTENCES = 30  # more are a crowd on the map and in the table


def _answer_embedding(fields: Mapping[str, str], ask: Ask) -> dict[str, Any]:
    texts = split_lines(fields["texts"]) or [""]  # the pipeline says what is wrong with an empty text
    if len(texts) > MAX_SENTENCES:
        raise TooManyItems(f"{len(texts)} texts, this page shows {MAX_SENTENCES} at the most", "texts")
    results = ask(texts)
    vectors = np.stack([result.vector for result in results]).astype(np.float64)
    cosines = vectors @ vectors.T
    return {
        "texts": texts,
        "cosines": cosines.tolist(),
        "points": points_of(cosines),
        "height": height_of(len(texts)),
        "vectors": [json.dumps(vector, separators=(",", ":")) for vector in as_numbers(vectors)],
        "dimensions": vectors.shape[1],
        "truncated": any(result.truncated for result in results),
    }


# In the order of the navigation.
PANELS = (
    Panel("sentiment", "sentiment", "/", "api.predict", ("text",), _answer_sentiment),
    Panel("similarity", "similarity", "/ui/similarity", "api.similarity", ("text_a", "text_b"), _answer_similarity),
    Panel("zero-shot", "classify", "/ui/classify", "api.classify", FIELDS, _answer_zero_shot),
    Panel("rerank", "rerank", "/ui/rerank", "api.rerank", ("query", "documents"), _answer_rerank),
    Panel("embedding", "embed", "/ui/embed", "api.embed", ("texts",), _answer_embedding, MAX_SENTENCES),
)


BLANK_LINE = re.compile(r"\n\s*\n")
BETWEEN_LABELS = re.compile(r"[,，、;；\n]")


def split_lines(text: str) -> list[str]:
    """One text a line, without the empty ones."""
    return _kept(text.split("\n"))


def split_passages(text: str) -> list[str]:
    """Blocks with blank lines between them; one a line where there are no blank lines."""
    text = text.strip()
    return _kept(BLANK_LINE.split(text)) if BLANK_LINE.search(text) else split_lines(text)


def split_labels(text: str) -> list[str]:
    """Labels with commas or line ends between them, each once."""
    return list(dict.fromkeys(_kept(BETWEEN_LABELS.split(text))))


def _kept(parts: list[str]) -> list[str]:
    return [part.strip() for part in parts if part.strip()]
