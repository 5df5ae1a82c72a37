"""POST /embed."""

import numpy as np
from flask import Response, jsonify
from flask_openapi3 import APIBlueprint, Tag
from pydantic import BaseModel, Field

from structbert_lite.web.requests import Ask
from structbert_lite.web.schemas import ERRORS, StrictRequest, shown

TAG = Tag(name="embedding", description="Texts as vectors")
# Finer than a float32 of the size that these have, and half as many bytes as its exact value.
DECIMALS = 9


class EmbedRequest(StrictRequest):
    """Several texts; the answer has their order."""

    model_config = shown(several={"texts": ["今天天气很好", "外面阳光明媚"]})

    texts: list[str] = Field(min_length=1)


class EmbedAnswer(BaseModel):
    """A vector of unit length for each text, and whether only the text's beginning was read."""

    embeddings: list[list[float]]
    dimensions: int
    truncated: list[bool]


def add_routes(api: APIBlueprint, ask: Ask) -> None:
    @api.post("/embed", tags=[TAG], responses={200: EmbedAnswer, **ERRORS})
    def embed(body: EmbedRequest) -> Response:
        """A vector of unit length for each text, in request order."""
        results = ask("embedding", body.texts)
        vectors = np.stack([result.vector for result in results])
        return jsonify(
            {
                "embeddings": np.round(vectors.astype(np.float64), DECIMALS).tolist(),
                "dimensions": vectors.shape[1],
                "truncated": [result.truncated for result in results],
            }
        )
