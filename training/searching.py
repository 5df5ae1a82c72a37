"""How well a search works, on the dev queries of CMRC 2018 and the unused ones of toyhom: quick looks in training.

`python -m structbert_lite evaluate quality` measures the exported model on everything.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from tokenizers import Tokenizer
from transformers import BertForSequenceClassification

from training.cross_encoder import predict_pairs
from training.examples import read_tsv
from training.retrieval import windows

QUERIES = 100  # for the reranker, which reads each query with DEPTH documents
DEPTH = 20
PIECE = 150  # characters of a document that the reranker reads at once
UNUSED = 3500  # toyhom's queries from here on were not trained on


def evaluate_search(encode: Callable[[list[str]], np.ndarray], data: Path) -> dict[str, dict[str, float]]:
    """nDCG@10 and Recall@10 of unit vectors by their inner product, beside TF-IDF."""
    figures = {}
    for name, split, first in (("cmrc2018", "dev", 0), ("toyhom_medical_sample", "train", UNUSED)):
        queries, right, keys, texts = _read(data / "retrieval" / name, split, first)
        places = _places(encode(queries) @ encode(texts).T, right, keys)
        baseline = _places(_tfidf(texts, queries), right, keys)
        figures[f"{name}/{split}"] = _figures(places) | {f"tfidf_{k}": v for k, v in _figures(baseline).items()}
    return figures


def evaluate_reranker(
    model: BertForSequenceClassification, tokenizer: Tokenizer, data: Path, max_length: int
) -> dict[str, dict[str, float]]:
    """nDCG@10 of the best DEPTH by TF-IDF, reranked, on the first QUERIES of a random order of CMRC's dev queries."""
    queries, right, keys, texts = _read(data / "retrieval" / "cmrc2018", "dev", 0)
    chosen = np.random.default_rng(0).permutation(len(queries))[:QUERIES]
    queries, right = [queries[i] for i in chosen], [right[i] for i in chosen]
    first = _tfidf(texts, queries)
    again = np.full_like(first, -np.inf)
    pairs, owners = [], []
    for row, query in enumerate(queries):
        for column in np.argsort(-first[row], kind="stable")[:DEPTH]:
            for piece in windows(texts[column], PIECE):
                pairs.append((query, piece))
                owners.append((row, column))
    for owner, score in zip(owners, predict_pairs(model, tokenizer, pairs, max_length)[:, 0], strict=True):
        again[owner] = max(again[owner], score)
    before, after = _figures(_places(first, right, keys)), _figures(_places(again, right, keys))
    return {f"cmrc2018/dev, {QUERIES} queries": after | {f"tfidf_{k}": v for k, v in before.items()}}


def _read(folder: Path, split: str, first: int) -> tuple[list[str], list[set[str]], list[str], list[str]]:
    """Queries, the documents that answer each, all documents' ids and texts."""
    documents = {r["doc_id"]: r["text"] for r in read_tsv(folder / "corpus.tsv")}
    queries = {r["query_id"]: r["text"] for r in read_tsv(folder / f"queries.{split}.tsv")}
    answers: dict[str, set[str]] = {}
    for r in read_tsv(folder / f"qrels.{split}.tsv"):
        answers.setdefault(r["query_id"], set()).add(r["doc_id"])
    wanted = [q for q in queries if q in answers][first:]
    return [queries[q] for q in wanted], [answers[q] for q in wanted], list(documents), list(documents.values())


def _tfidf(texts: list[str], queries: list[str]) -> np.ndarray:
    vectorizer = TfidfVectorizer(analyzer="char", ngram_range=(1, 2), sublinear_tf=True, dtype=np.float32)
    table = vectorizer.fit_transform(texts)
    return (vectorizer.transform(queries) @ table.T).toarray()


def _places(scores: np.ndarray, right: list[set[str]], keys: list[str]) -> np.ndarray:
    """Rank, from 0, of the best right document of each query."""
    numbers = {key: i for i, key in enumerate(keys)}
    best = np.array([max(row[numbers[key]] for key in keys) for row, keys in zip(scores, right, strict=True)])
    return (scores > best[:, None]).sum(1)


def _figures(places: np.ndarray) -> dict[str, float]:
    """With one right document a query, as nearly always here, nDCG@10 is 1 / log2(rank + 1) down to rank 10."""
    found = places < 10
    return {"ndcg_10": float(np.mean(found / np.log2(places + 2))), "recall_10": float(found.mean())}
