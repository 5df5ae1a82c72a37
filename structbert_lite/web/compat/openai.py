"""OpenAI, and Jina, Voyage and Xinference beside it: POST /v1/embeddings and /embeddings, GET /v1/models."""

from typing import Any, Literal

import numpy as np
from flask import Response, jsonify
from flask_openapi3 import APIBlueprint, Tag
from flask_openapi3.types import ResponseDict
from pydantic import BaseModel, ConfigDict, Field

from structbert_lite.engine import Engine
from structbert_lite.errors import InvalidInput
from structbert_lite.results import as_numbers
from structbert_lite.settings import Settings
from structbert_lite.tasks.inputs import require_at_most
from structbert_lite.web.compat.dialect import LenientRequest
from structbert_lite.web.compat.errors import OPENAI_ERRORS, error_response
from structbert_lite.web.compat.fields import as_list, as_texts, require_dimensions
from structbert_lite.web.compat.token_ids import TextsOrTokens
from structbert_lite.web.routing import ApiRequest, Route
from structbert_lite.web.schemas import Whole, map_error_fields, with_examples
from structbert_lite.web.serialization import as_base64

TAG = Tag(name="OpenAI", description="For OpenAI's clients, with http://HOST:PORT/v1 as their base URL")
# What OpenAI takes in one request. Whoever sets our own limit below its default means it here as well.
MOST_INPUTS = 2048
DEFAULT_ITEMS: int = Settings.model_fields["max_items"].default


class OpenAIEmbeddingsRequest(LenientRequest):
    """One text or several. Any `model` is taken: the installed one of that name answers, else the default one."""

    model_config = with_examples(
        openai={"model": "embedding", "input": ["今天天气很好", "外面阳光明媚"]},
        openai_base64={"model": "embedding", "input": "今天天气很好", "encoding_format": "base64"},
    )

    input: TextsOrTokens
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
    """An installed model. When it was made is not known. Xinference's clients read what stands behind `owned_by`."""

    model_config = ConfigDict(protected_namespaces=())

    id: str
    object: Literal["model"]
    created: int
    owned_by: str
    model_name: str
    model_type: str
    max_tokens: int
    dimensions: int | None


class OpenAIModels(BaseModel):
    """Every installed model, whatever its task."""

    object: Literal["list"]
    data: list[OpenAIModel]


class OpenAIModelPath(BaseModel):
    """A model's name, as the list has it, or that of a task."""

    model: str


def create_embeddings(body: OpenAIEmbeddingsRequest, call: ApiRequest) -> dict[str, Any]:
    """A vector of unit length for each text, the same as /embed gives."""
    texts = as_list(body.input)
    model = call.known_model("embedding", body.model)
    most = call.engine.max_items
    with map_error_fields(as_texts("input", body.input)):
        require_at_most(max(most, MOST_INPUTS) if most >= DEFAULT_ITEMS else most, len(texts), "texts", "texts")
        if "" in texts:
            raise InvalidInput("the text has no readable characters", f"texts[{texts.index('')}]")
    results = [
        result
        for first in range(0, len(texts), most)
        for result in call.predict("embedding", texts[first : first + most], model, blank=True)
    ]
    vectors = np.stack([result.vector for result in results])
    require_dimensions(body.dimensions, vectors.shape[1])
    written = map(as_base64, vectors) if body.encoding_format == "base64" else as_numbers(vectors)
    tokens = call.engine.count_tokens("embedding", texts, model)
    return {
        "object": "list",
        "data": [{"object": "embedding", "index": i, "embedding": one} for i, one in enumerate(written)],
        "model": model or call.engine.manifest("embedding").name,
        "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
    }


def create_embeddings_at_root(body: OpenAIEmbeddingsRequest, call: ApiRequest) -> dict[str, Any]:
    """The same as /v1/embeddings, for clients whose base URL has no /v1."""
    return create_embeddings(body, call)


ANSWERS: ResponseDict = {200: OpenAIEmbeddingsAnswer, **OPENAI_ERRORS}
ROUTES = (
    Route("/v1/embeddings", create_embeddings, OpenAIEmbeddingsRequest, TAG, ANSWERS),
    Route("/embeddings", create_embeddings_at_root, OpenAIEmbeddingsRequest, TAG, ANSWERS),
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
        models = _models(engine)
        model = models.get(path.model) or models.get(engine.names.get(path.model, ""))
        return (
            jsonify(model) if model else error_response(404, "model_not_found", "no such model is installed", "model")
        )


def _models(engine: Engine) -> dict[str, dict[str, Any]]:
    """By the names that requests may give and answers have. A model of several tasks is of the type of its own one."""
    found: dict[str, dict[str, Any]] = {}
    # The default ones first: of two of one name a client means what it always got.
    further = [(task, model) for task in engine.names for model in engine.choices(task)[1:]]
    for task, model in (*engine.names.items(), *further):
        manifest = engine.manifest(task, model)
        kind = "embedding" if manifest.kind == "encoder" else task
        name = manifest.name if model == engine.names[task] else model
        found.setdefault(
            name,
            {
                "id": name,
                "object": "model",
                "created": 0,
                "owned_by": "structbert-lite",
                "model_name": name,
                "model_type": kind,
                "max_tokens": manifest.max_tokens,
                "dimensions": manifest.dimensions,
            },
        )
    return found
