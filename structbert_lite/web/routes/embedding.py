"""POST /embed."""

from typing import Annotated

import numpy as np
from flask import Response, jsonify
from flask_openapi3 import APIBlueprint, Tag
from pydantic import BaseModel, RootModel

from structbert_lite.web.compat.dialect import Either, shown_of, told_apart
from structbert_lite.web.compat.errors import SHARED_ERRORS
from structbert_lite.web.compat.tei import embedding as tei
from structbert_lite.web.middleware import Ask
from structbert_lite.web.schemas import StrictRequest, shown
from structbert_lite.web.texts import Texts
from structbert_lite.web.vectors import as_numbers

TAG = Tag(name="embedding", description="Texts as vectors")


class EmbedRequest(StrictRequest):
    """Several texts; the answer has their order."""

    model_config = shown(several={"texts": ["今天天气很好", "外面阳光明媚"]})

    texts: Texts


class EmbedAnswer(BaseModel):
    """A vector of unit length for each text, and whether only the text's beginning was read."""

    embeddings: list[list[float]]
    dimensions: int
    truncated: list[bool]


class EmbedBody(RootModel[Annotated[Either[EmbedRequest, tei.TEIEmbedRequest], told_apart("/embed")]]):
    """Our own body, or that of Text Embeddings Inference."""

    model_config = shown_of(EmbedRequest, tei.TEIEmbedRequest)


class EmbedAnswers(RootModel[EmbedAnswer | tei.TEIVectors]):
    """Our own answer to our own body, bare vectors to the other."""


def add_routes(api: APIBlueprint, ask: Ask) -> None:
    @api.post("/embed", tags=[TAG], responses={200: EmbedAnswers, **SHARED_ERRORS})
    def embed(body: EmbedBody) -> Response:
        """A vector of unit length for each text, in request order."""
        given = body.root
        if isinstance(given, tei.TEIEmbedRequest):
            return jsonify(tei.embed(given, ask))
        results = ask("embedding", given.texts)
        vectors = np.stack([result.vector for result in results])
        return jsonify(
            {
                "embeddings": as_numbers(vectors),
                "dimensions": vectors.shape[1],
                "truncated": [result.truncated for result in results],
            }
        )
