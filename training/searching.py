"""How well a reranker orders what TF-IDF finds for dev queries of CMRC 2018: a quick look after training.

`python -m structbert_lite evaluate quality` measures the exported model on everything.
"""

from pathlib import Path

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from tokenizers import Tokenizer
from transformers import BertForSequenceClassification

from training.cross_encoder import predict_pairs
from training.retrieval import CHARACTERS, read_collection, windows

QUERIES = 40  # for the reranker, which reads each query with DEPTH documents
DEPTH = 20
PIECE = 150  # characters of a document that the reranker reads at once


def evaluate_reranker(
    model: BertForSequenceClassification, tokenizer: Tokenizer, data: Path, max_length: int
) -> dict[str, dict[str, float]]:
    """nDCG@10 of the best DEPTH by TF-IDF, reranked, on the first QUERIES of a random order of CMRC's dev queries."""
    documents, asked, answers = read_collection(data / "retrieval" / "cmrc2018", "dev")
    keys, texts, wanted = list(documents), list(documents.values()), [q for q in asked if q in answers]
    chosen = [wanted[i] for i in np.random.default_rng(0).permutation(len(wanted))[:QUERIES]]
    queries, right = [asked[q] for q in chosen], [answers[q] for q in chosen]
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


def _tfidf(texts: list[str], queries: list[str]) -> np.ndarray:
    vectorizer = TfidfVectorizer(**CHARACTERS)
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
