"""Queries, documents and near misses for search: what the encoder and the reranker learn to find."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from opencc import OpenCC
from sklearn.feature_extraction.text import TfidfVectorizer
from tqdm import tqdm

from training.examples import read_tsv
from training.own import Search

# Folder below retrieval/, split, and how many queries to train on.
SETS = (
    ("cmrc2018", "trial", 1002),
    ("drcd_traditional", "dev", 3524),
    ("csl_title_abstract", "dev", 1000),
    ("toyhom_medical_sample", "train", 3500),
)
# Where many documents answer a query and one is marked: what looks like a near miss is mostly right.
UNMARKED = {"toyhom_medical_sample"}
# How TF-IDF reads a text: characters and pairs of neighbours.
CHARACTERS = {"analyzer": "char", "ngram_range": (1, 2), "sublinear_tf": True, "dtype": np.float32}
ROWS = 256  # queries scored at once
DEEP = 20  # near misses come from the best so many documents that are not the answer


def read_searches(data: Path, window: int, near: int, far: int, seed: int) -> list[Search]:
    """Every query of SETS with the best window of `window` characters of its document, and wrong windows.

    `near` of those are of the most similar other documents, by TF-IDF of character unigrams and bigrams, and `far`
    of any. Of toyhom only the first queries of SETS are used: the others are there to report on. DRCD's traditional
    characters are made simplified ones.
    """
    simplify = OpenCC("t2s").convert
    out = []
    for name, split, most in SETS:
        folder = data / "retrieval" / name
        convert = simplify if name.startswith("drcd") else str
        documents, queries, answers = read_collection(folder, split, convert)
        if name == "cmrc2018":  # paragraphs of the dev split are what is reported on
            documents = {key: text for key, text in documents.items() if not key.startswith("DEV")}
        chosen = [q for q in queries if answers.get(q, set()) & documents.keys()][:most]
        out += _searches(
            name,
            {q: queries[q] for q in chosen},
            answers,
            documents,
            window,
            (0, near + far) if name in UNMARKED else (near, far),
            seed,
        )
    return out


def read_collection(
    folder: Path, split: str, convert: Callable[[str], str] = str
) -> tuple[dict[str, str], dict[str, str], dict[str, set[str]]]:
    """Texts of the documents and of the queries by id, and the documents that answer each query."""
    documents = {r["doc_id"]: convert(r["text"]) for r in read_tsv(folder / "corpus.tsv")}
    queries = {r["query_id"]: convert(r["text"]) for r in read_tsv(folder / f"queries.{split}.tsv")}
    answers: dict[str, set[str]] = {}
    for r in read_tsv(folder / f"qrels.{split}.tsv"):
        answers.setdefault(r["query_id"], set()).add(r["doc_id"])
    return documents, queries, answers


def windows(text: str, size: int) -> list[str]:
    """Pieces of at most `size` characters, each beginning half a piece after the last one."""
    if len(text) <= size:
        return [text]
    starts = range(0, len(text) - size // 2, size // 2)
    return [text[start : start + size] for start in starts]


def _searches(
    name: str,
    queries: dict[str, str],
    answers: dict[str, set[str]],
    documents: dict[str, str],
    window: int,
    wrong_ones: tuple[int, int],
    seed: int,
) -> list[Search]:
    near, far = wrong_ones
    rng = np.random.default_rng(seed)
    pieces = [(key, piece) for key, text in documents.items() for piece in windows(text, window)]
    owners = np.array([key for key, _ in pieces])
    vectorizer = TfidfVectorizer(**CHARACTERS)
    table = vectorizer.fit_transform([piece for _, piece in pieces]).T.tocsr()
    wanted = vectorizer.transform(queries.values())
    out = []
    for row, key in enumerate(tqdm(queries, desc=name, leave=False, mininterval=10)):
        if row % ROWS == 0:
            block = (wanted[row : row + ROWS] @ table).toarray()
        scores = block[row % ROWS]
        order = np.argsort(-scores, kind="stable")[: 10 * DEEP]
        own = list(np.flatnonzero(np.isin(owners, list(answers[key]))))
        best = max(own, key=lambda i: scores[i])
        wrong = [i for i in order if owners[i] not in answers[key]][:DEEP]
        drawn = [*rng.choice(wrong, near, replace=False), *rng.integers(len(pieces), size=far)]
        negatives = tuple(pieces[i][1] for i in drawn if owners[i] not in answers[key])
        out.append(Search(queries[key], pieces[best][1], negatives, name, name))
    return out
