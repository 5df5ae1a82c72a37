"""Quality on collections: how well the relevant documents are found, or put in order, beside BM25."""

import sys
from collections.abc import Sequence
from typing import Any

import click
import numpy as np

from structbert_lite.evaluate.ask import ask_rankings, ask_vectors
from structbert_lite.evaluate.retrieval import Collection

CANDIDATES = 50  # of BM25's, which the reranker puts in order
Rankings = dict[str, Sequence[str]]


def rank_by_words(collection: Collection) -> Rankings:
    """BM25's CANDIDATES best documents for each query. Raises RuntimeError when bm25s is not installed."""
    try:
        from structbert_lite.evaluate.bm25 import Bm25
    except ModuleNotFoundError as error:
        raise RuntimeError(
            f"the baseline needs {error.name}, which is not installed; run: pip install -r requirements-evaluate.txt"
        ) from None
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
