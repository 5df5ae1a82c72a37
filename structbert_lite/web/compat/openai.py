"""OpenAI: POST /v1/embeddings and GET /v1/models."""

from typing import Any, Literal

import numpy as np
from flask import Response, jsonify
from flask_openapi3 import APIBlueprint, Tag
from pydantic import BaseModel, Field

from structbert_lite.engine import Engine
from structbert_lite.results import as_numbers
from structbert_lite.web.compat.dialect import LenientRequest
from structbert_lite.web.compat.errors import OPENAI_ERRORS, error_response
from structbert_lite.web.compat.fields import OneOrMoreTexts, as_list, as_texts, require_dimensions
from structbert_lite.web.routing import ApiRequest, Route
from structbert_lite.web.schemas import Whole, map_error_fields, with_examples
from structbert_lite.web.serialization import as_base64

TAG = Tag(name="OpenAI", description="For OpenAI's clients, with http://HOST:PORT/v1 as their base URL")


class OpenAIEmbeddingsRequest(LenientRequest):
    """One text or several. Any `model` is taken: the installed one answers, and the answer names it."""

    model_config = with_examples(
        openai={"model": "embedding", "input": ["今天天气很好", "外面阳光明媚"]},
        openai_base64={"model": "embedding", "input": "今天天气很好", "encoding_format": "base64"},
    )

    input: OneOrMoreTexts
    model: str | None = None
    encoding_format: Literal["float", "base64"] | None = Field(None, description="`float` by default")
    dimensions: Whole | None = Field(None, description="The model's own number; any other is refused")


class OpenAIEmbedding(BaseModel):
    """Numbers, or base64 of little-endian float32."""

    object: Literal["embedding"]
    index: int
    embedding: list[float] | str


class OpenAIUsage(BaseModel):
    """Tokens that the model reads, its special ones included."""

    prompt_tokens: int
    total_tokens: int


class OpenAIEmbeddingsAnswer(BaseModel):
    """A vector of unit length for each text, in request order."""

    object: Literal["list"]
    data: list[OpenAIEmbedding]
    model: str
    usage: OpenAIUsage


class OpenAIModel(BaseModel):
    """An installed model. When it was made is not known."""

    id: str
    object: Literal["model"]
    created: int
    owned_by: str


class OpenAIModels(BaseModel):
    """Every installed model, whatever its task."""

    object: Literal["list"]
    data: list[OpenAIModel]


class OpenAIModelPath(BaseModel):
    """A model's name, as the list has it."""

    model: str


def create_embeddings(body: OpenAIEmbeddingsRequest, call: ApiRequest) -> dict[str, Any]:
    """A vector of unit length for each text, the same as /embed gives."""
    texts = as_list(body.input)
    with map_error_fields(as_texts("input", body.input)):
        vectors = np.stack([result.vector for result in call.predict("embedding", texts)])
    require_dimensions(body.dimensions, vectors.shape[1])
    written = map(as_base64, vectors) if body.encoding_format == "base64" else as_numbers(vectors)
    tokens = call.engine.count_tokens("embedding", texts)
    return {
        "object": "list",
        "data": [{"object": "embedding", "index": i, "embedding": one} for i, one in enumerate(written)],
        "model": call.engine.manifest("embedding").name,
        "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
    }


ROUTES = (
    Route(
        "/v1/embeddings",
        create_embeddings,
        OpenAIEmbeddingsRequest,
        TAG,
        {200: OpenAIEmbeddingsAnswer, **OPENAI_ERRORS},
    ),
)


def add_routes(api: APIBlueprint, engine: Engine) -> None:
    """The lists of models, which take no body."""

    @api.get("/v1/models", tags=[TAG], responses={200: OpenAIModels, 429: OPENAI_ERRORS[429]})
    def list_models() -> Response:
        """What is installed; /models says more about it."""
        return jsonify({"object": "list", "data": list(_models(engine).values())})

    @api.get("/v1/models/<path:model>", tags=[TAG], responses={200: OpenAIModel, 404: OPENAI_ERRORS[404]})
    def retrieve_model(path: OpenAIModelPath) -> Response:
        """One installed model."""
        model = _models(engine).get(path.model)
        return (
            jsonify(model) if model else error_response(404, "model_not_found", "no such model is installed", "model")
        )


def _models(engine: Engine) -> dict[str, dict[str, Any]]:
    names = dict.fromkeys(engine.manifest(task).name for task in engine.names)
    return {name: {"id": name, "object": "model", "created": 0, "owned_by": "structbert-lite"} for name in names}
