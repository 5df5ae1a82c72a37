"""Documents, queries and what is relevant to what: the files of a retrieval test."""

from dataclasses import dataclass
from pathlib import Path

from structbert_lite.evaluate.rows import read_rows, take_sample

PARTS = ("corpus", "queries", "qrels")


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
