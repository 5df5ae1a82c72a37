"""The page of each task: its form, read and answered without any script."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from structbert_lite.errors import TooManyItems
from structbert_lite.manifest import Task
from structbert_lite.results import AspectOpinions, Classification, Ranked, Similarity, ZeroShot, as_numbers
from structbert_lite.tasks.aspect_words import DOMAINS
from structbert_lite.web.scatter import height_of, points_of, short_name
from structbert_lite.web.schemas import map_error_fields

# (inputs, **options) -> results: the engine's `predict` of this panel's task with this request's deadline.
Ask = Callable[..., list[Any]]


@dataclass(frozen=True)
class Panel:
    """`name` of the template, the script and the page's endpoint; `api`: the endpoint of the JSON route behind it.

    `task` is what the engine is asked for, `models` the tasks whose models that takes; the page names the first one.

    `answer` takes the form's fields, line ends as LF, and returns what the template shows.
    """

    task: str
    models: tuple[Task, ...]
    name: str
    path: str
    api: str
    fields: tuple[str, ...]
    answer: Callable[[Mapping[str, str], Ask], Any]
    max_items: int | None = None  # where the page shows fewer than the API takes
    batch: str = ""  # the endpoint of the JSON route for several texts, where that is another one
    explain: str = ""  # that of the route which says what words decided, where there is one


# Two labels whose scores differ by less are too close for one of them to be the answer.
CLOSE = 0.3


@dataclass(frozen=True)
class Verdict:
    """What a page says of an answer: `sure` of `label`, `unsure` and only leaning to it, or `none`: no opinion.

    `share`: the probability of the label, or that of no opinion.
    """

    kind: Literal["sure", "unsure", "none"]
    label: str
    share: float


def verdict_of(result: Classification) -> Verdict:
    """By the model's own thresholds where it knows Neutral, else by `CLOSE`. static/verdicts.js does the same."""
    if result.neutral is not None and (result.label == "Neutral" or (result.uncertain and result.neutral >= 0.5)):
        return Verdict("none", result.label, result.neutral)
    best, second = sorted((*result.probabilities.values(), 0.0, 0.0), reverse=True)[:2]
    unsure = best - second < CLOSE if result.uncertain is None else result.uncertain
    return Verdict("unsure" if unsure else "sure", result.label, result.score)


def fitting_labels(result: ZeroShot, apart: bool) -> tuple[str, ...]:
    """The labels that fit, best first; none where none does, several where they fit alike. static/verdicts.js, too.

    `apart`: each label was scored by itself, so that any number of them may fit.
    """
    least = 0.5 if apart else result.scores[0] - CLOSE
    if not apart and result.none is not None and result.none >= 0.5:
        return ()
    return tuple(label for label, score in zip(result.labels, result.scores, strict=True) if score >= least)


def _answer_sentiment(fields: Mapping[str, str], ask: Ask) -> list[tuple[Classification, Verdict]]:
    """The text as a whole, or each of its lines."""
    texts = (split_lines(fields["text"]) if fields["each"] else []) or [fields["text"]]
    with map_error_fields({f"texts[{i}]": "text" for i in range(len(texts))}):
        return [(result, verdict_of(result)) for result in ask(texts)]


ASPECT_FIELDS = ("text", "domain", "aspects")


def _answer_aspects(fields: Mapping[str, str], ask: Ask) -> AspectOpinions:
    """Of the caller's own aspects where there are any, else of those of a kind of review, else of the usual ones."""
    own = split_labels(fields["aspects"])
    domain = fields["domain"] if fields["domain"] in DOMAINS and not own else None
    result: AspectOpinions
    with map_error_fields({"texts[0]": "text"}):
        (result,) = ask([fields["text"]], aspects=own or None, domain=domain)
    return result


def _answer_similarity(fields: Mapping[str, str], ask: Ask) -> list[tuple[int, Similarity]]:
    """The cells compared with, numbered as they were pasted, most alike first."""
    others = number_cells(fields["text_b"]) or [(1, "")]  # the pipeline says what is wrong with an empty text
    names = {"pairs[0][0]": "text_a"} | {f"pairs[{i}][1]": "text_b" for i in range(len(others))}
    with map_error_fields(names):
        results = ask([(fields["text_a"], other) for _, other in others])
    numbered = [(number, result) for (number, _), result in zip(others, results, strict=True)]
    return sorted(numbered, key=lambda one: -one[1].score)


FIELDS = ("text", "labels", "multi_label", "hypothesis_template")
LABEL_ALONE = "{}"


def _answer_zero_shot(fields: Mapping[str, str], ask: Ask) -> tuple[ZeroShot, tuple[str, ...]]:
    """The answer, and the labels that fit."""
    result: ZeroShot
    labels = split_labels(fields["labels"])
    with map_error_fields({"texts[0]": "text"}):
        (result,) = ask(
            [fields["text"]],
            labels=labels,
            multi_label=bool(fields["multi_label"]),
            hypothesis_template=fields["hypothesis_template"].strip() or LABEL_ALONE,
            none=True,
        )
    return result, fitting_labels(result, bool(fields["multi_label"]) or len(labels) == 1)


def _answer_rerank(fields: Mapping[str, str], ask: Ask) -> list[tuple[int, str, Ranked]]:
    """Passages by their numbers with their results, most relevant first."""
    passages = number_passages(fields["documents"], bool(fields["blocks"])) or [(1, "")]
    ranking: list[Ranked] = ask([passage for _, passage in passages], query=fields["query"])
    return [(*passages[ranked.index], ranked) for ranked in ranking]


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
        "points": points_of(cosines, [short_name(text) for text in texts]),
        "height": height_of(len(texts)),
        "vectors": [json.dumps(vector, separators=(",", ":")) for vector in as_numbers(vectors)],
        "dimensions": vectors.shape[1],
        "truncated": any(result.truncated for result in results),
    }


# In the order of the navigation.
PANELS = (
    Panel(
        "sentiment",
        ("sentiment",),
        "sentiment",
        "/",
        "api.predict",
        ("text", "each"),
        _answer_sentiment,
        batch="api.predict_batch",
        explain="api.explain",
    ),
    Panel(
        "aspects", ("sentiment", "zero-shot"), "aspects", "/ui/aspects", "api.aspects", ASPECT_FIELDS, _answer_aspects
    ),
    Panel(
        "similarity",
        ("similarity",),
        "similarity",
        "/ui/similarity",
        "api.similarity",
        ("text_a", "text_b"),
        _answer_similarity,
    ),
    Panel("zero-shot", ("zero-shot",), "classify", "/ui/classify", "api.classify", FIELDS, _answer_zero_shot),
    Panel(
        "rerank", ("rerank",), "rerank", "/ui/rerank", "api.rerank", ("query", "documents", "blocks"), _answer_rerank
    ),
    Panel("embedding", ("embedding",), "embed", "/ui/embed", "api.embed", ("texts",), _answer_embedding, MAX_SENTENCES),
)


BLANK_LINE = re.compile(r"\n\s*\n")
BETWEEN_LABELS = re.compile(r"[,，、;；\t\n]")


def split_lines(text: str) -> list[str]:
    """One text a line, without the empty ones."""
    return _kept(text.split("\n"))


def split_cells(text: str) -> list[str]:
    """The cells of a pasted column, one a line, blank ones too.

    A spreadsheet puts a cell that has line ends itself between quotes, and writes a quote in it twice.
    """
    lines, cells, start = text.split("\n"), [], 0
    while start < len(lines):
        end = _cell_end(lines, start)
        cell = "\n".join(lines[start : end + 1])
        cells.append((cell[1:].rstrip()[:-1].replace('""', '"') if end > start else cell).strip())
        start = end + 1
    return cells


def _cell_end(lines: list[str], start: int) -> int:
    if lines[start].startswith('"') and lines[start].count('"') % 2:
        for end in range(start + 1, len(lines)):
            if lines[end].count('"') % 2:
                return end if lines[end].rstrip().endswith('"') else start
    return start


def number_cells(text: str) -> list[tuple[int, str]]:
    """The cells that are not blank, with their places in the column, from 1."""
    return [(number, cell) for number, cell in enumerate(split_cells(text), start=1) if cell]


def number_passages(text: str, blocks: bool) -> list[tuple[int, str]]:
    """Passages with their places, from 1: cells, or `blocks` with blank lines between them."""
    return list(enumerate(_kept(BLANK_LINE.split(text.strip())), start=1)) if blocks else number_cells(text)


def split_labels(text: str) -> list[str]:
    """Labels with commas, tabs or line ends between them, each once."""
    return list(dict.fromkeys(_kept(BETWEEN_LABELS.split(text))))


def _kept(parts: list[str]) -> list[str]:
    return [part.strip() for part in parts if part.strip()]
