"""The page of embeddings: sentences as points on a map, their cosines, their vectors."""

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from structbert_lite.errors import TooManyItems
from structbert_lite.web.pages import Ask, Panel
from structbert_lite.web.panels.split import split_lines
from structbert_lite.web.scatter import height_of, points_of
from structbert_lite.web.vectors import as_numbers

MAX_SENTENCES = 30  # more are a crowd on the map and in the table


def _answer(fields: Mapping[str, str], ask: Ask) -> dict[str, Any]:
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


PANEL = Panel("embedding", "embed", "/ui/embed", "api.embed", ("texts",), _answer, MAX_SENTENCES)
