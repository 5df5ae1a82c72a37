"""Retrieval tests: collections of documents, queries and judgements, ranked by words, by vectors or by a reranker."""

import re
import sys
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import click
import numpy as np

from structbert_lite.evaluate.quality_tasks import ask_rankings, ask_vectors
from structbert_lite.evaluate.rows import read_rows, take_sample

PARTS = ("corpus", "queries", "qrels")
# Runs of Han characters and kana; outside of them, words of letters and digits.
_CHINESE = re.compile(r"([\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U000323af]+)")
_WORD = re.compile(r"[^\W_]+")
CANDIDATES = 50  # of BM25's, which the reranker puts in order
Rankings = dict[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class Collection:
    """Texts by id, and for each query the grades of its judged documents, by the document's id."""

    documents: dict[str, str]
    queries: dict[str, str]
    judgements: dict[str, dict[str, float]]


def find_parts(folder: Path) -> tuple[Path, Path, Path]:
    """corpus.tsv, queries.tsv and qrels.tsv in `folder`. Raises ValueError, with its name, when one is missing."""
    corpus, queries, qrels = paths = [folder / f"{part}.tsv" for part in PARTS]
    for path in paths:
        if not path.is_file():
            raise ValueError(f"{folder} has no {path.name}; name the files with --corpus, --queries and --qrels")
    return corpus, queries, qrels


def read_collection(corpus: Path, queries: Path, qrels: Path, limit: int | None) -> Collection:
    """The collection of three files, with `limit` of its queries, taken at random but the same every time.

    `corpus` has the columns doc_id and text, `queries` query_id and text, `qrels` query_id, doc_id and rel, a number.
    Queries without any relevant document are left out. Raises ValueError for an id that stands twice or nowhere.
    """
    documents, asked = _texts(corpus, "doc_id"), _texts(queries, "query_id")
    judgements: dict[str, dict[str, float]] = {}
    for number, row in enumerate(read_rows(qrels, ["query_id", "doc_id", "rel"]), start=1):
        for column, known in (("query_id", asked), ("doc_id", documents)):
            if row[column] not in known:
                raise ValueError(f"row {number} of {qrels} has the {column} {row[column]}, which is in no other file")
        judgements.setdefault(row["query_id"], {})[row["doc_id"]] = _grade(row["rel"], number, qrels)
    answerable = [name for name in asked if any(grade > 0 for grade in judgements.get(name, {}).values())]
    if not answerable:
        raise ValueError(f"{qrels} names no relevant document for any query")
    chosen = take_sample(answerable, limit)
    return Collection(documents, {name: asked[name] for name in chosen}, {name: judgements[name] for name in chosen})


def _texts(path: Path, column: str) -> dict[str, str]:
    texts: dict[str, str] = {}
    for number, row in enumerate(read_rows(path, [column, "text"]), start=1):
        if row[column] in texts:
            raise ValueError(f"row {number} of {path} has the {column} {row[column]} a second time")
        texts[row[column]] = row["text"]
    return texts


def _grade(text: str, number: int, path: Path) -> float:
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"row {number} of {path} has the rel {text!r}, not a number") from None


def split_terms(text: str) -> list[str]:
    """Each character and each pair of neighbours of Chinese, each word of anything else; NFKC, lower case."""
    terms: list[str] = []
    for i, part in enumerate(_CHINESE.split(unicodedata.normalize("NFKC", text).lower())):
        if i % 2:
            terms += [*part, *map("".join, pairwise(part))]
        else:
            terms += _WORD.findall(part)
    return terms


class Bm25:
    """Documents by id, ready to be ranked: Lucene's variant, k1 1.5 and b 0.75, through bm25s.

    BM25 is the baseline that a ranking model has to beat. Chinese has no spaces, and a segmenter would be a dependency
    with a dictionary of its own. Single characters and pairs of neighbours together ranked better than either alone on
    every collection tried (nDCG@10, CMRC 2018's dev questions: 0.980 against 0.946 and 0.978; medical questions and
    answers: 0.275 against 0.251 and 0.249).
    """

    def __init__(self, documents: Mapping[str, str]) -> None:
        """Raises RuntimeError where bm25s is not installed."""
        try:
            import bm25s
        except ModuleNotFoundError as error:
            cure = "run: pip install -r requirements-evaluate.txt"
            raise RuntimeError(f"the baseline needs {error.name}, which is not installed; {cure}") from None
        self._names = list(documents)
        self._index = bm25s.BM25(k1=1.5, b=0.75, method="lucene")
        self._index.index([split_terms(text) for text in documents.values()], show_progress=False)

    def rank(self, query: str, count: int) -> list[str]:
        """Ids of the `count` documents with the highest scores, equal ones in the documents' order."""
        terms = split_terms(query)
        # The library cannot score a query without terms.
        scores = self._index.get_scores(terms) if terms else np.zeros(len(self._names))
        return [self._names[i] for i in np.argsort(-scores, kind="stable")[:count]]


def rank_by_words(collection: Collection) -> Rankings:
    """BM25's CANDIDATES best documents for each query. Raises RuntimeError when bm25s is not installed."""
    baseline = Bm25(collection.documents)
    with click.progressbar(collection.queries.items(), label="BM25", file=sys.stderr) as bar:
        return {name: baseline.rank(query, CANDIDATES) for name, query in bar}


def rank_by_vectors(pipeline: Any, collection: Collection, title: str) -> Rankings:
    """All documents by the cosine of their vectors with the query's; the first CANDIDATES of them."""
    names = list(collection.documents)
    documents = ask_vectors(pipeline, list(collection.documents.values()), f"{title}, documents")
    queries = ask_vectors(pipeline, list(collection.queries.values()), f"{title}, queries")
    return {
        name: [names[i] for i in np.argsort(-(documents @ query), kind="stable")[:CANDIDATES]]
        for name, query in zip(collection.queries, queries, strict=True)
    }


def rerank_by_model(pipeline: Any, collection: Collection, candidates: Rankings, title: str) -> Rankings:
    """The candidates of each query in the order of the model's scores."""
    asked = {name: [collection.documents[i] for i in candidates[name]] for name in collection.queries}
    orders = ask_rankings(pipeline, [(collection.queries[name], texts) for name, texts in asked.items()], title)
    return {name: [candidates[name][i] for i in order] for name, (order, _) in zip(asked, orders, strict=True)}
