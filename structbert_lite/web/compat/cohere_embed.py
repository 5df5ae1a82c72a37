"""Cohere: POST /v1/embed and POST /v2/embed."""

from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BaseModel, Field, WithJsonSchema

from structbert_lite.errors import InvalidInput
from structbert_lite.results import as_numbers
from structbert_lite.web.compat.cohere import TAG
from structbert_lite.web.compat.dialect import LenientRequest
from structbert_lite.web.compat.errors import COHERE_ERRORS
from structbert_lite.web.compat.fields import require_dimensions
from structbert_lite.web.routing import ApiRequest, Route
from structbert_lite.web.schemas import BLANK_SCHEMA, BlankTexts, Whole, map_error_fields, with_examples
from structbert_lite.web.serialization import as_base64

TEXTS = ["今天天气很好", "外面阳光明媚"]
Type = Literal["float", "base64"]


class CohereEmbedRequest(LenientRequest):
    """Several texts. Any `model` is taken: the installed one of that name answers, else the default one. So is any
    `input_type`: a model has one kind of vector.

    `truncate: "NONE"` refuses a text of which the model would not read all; only ends are ever cut off.
    """

    model_config = with_examples(
        cohere={"model": "embedding", "texts": TEXTS, "input_type": "search_document", "embedding_types": ["float"]}
    )

    texts: BlankTexts
    model: str | None = None
    input_type: str | None = None
    embedding_types: list[Type] | None = Field(None, min_length=1)
    truncate: Literal["NONE", "END"] | None = None
    output_dimension: Whole | None = Field(None, description="The model's own number; any other is refused")
    images: None = None


class CohereTextPart(LenientRequest):
    """A text; the server reads no images."""

    type: Literal["text"]
    text: Annotated[str, WithJsonSchema(BLANK_SCHEMA)]


class CohereInput(LenientRequest):
    """One input of the second version's other form. Its texts are read as one, a line each."""

    content: list[CohereTextPart] = Field(min_length=1)


class CohereEmbedV2Request(CohereEmbedRequest):
    """The same, or with `inputs` for `texts`."""

    model_config = with_examples(
        cohere_texts={"model": "embedding", "texts": TEXTS, "embedding_types": ["float", "base64"]},
        cohere_inputs={"inputs": [{"content": [{"type": "text", "text": text}]} for text in TEXTS]},
    ) | {"json_schema_extra": {"oneOf": [{"required": ["texts"]}, {"required": ["inputs"]}]}}

    texts: BlankTexts = Field(default_factory=list)
    inputs: list[CohereInput] = Field(default_factory=list, min_length=1)


class CohereVectors(BaseModel):
    """Vectors in each form that was asked for, one a text; base64 is of little-endian float32."""

    floats: list[list[float]] | None = Field(None, alias="float")  # a field `float` would hide the type
    base64: list[str] | None = None


class CohereEmbedAnswer(BaseModel):
    """A vector of unit length for each text, in request order; bare ones where no type was asked of /v1/embed."""

    response_type: Literal["embeddings_floats", "embeddings_by_type"]
    id: str
    embeddings: CohereVectors | list[list[float]]
    texts: list[str]
    meta: dict[str, Any]


def embed_v1(body: CohereEmbedRequest, call: ApiRequest) -> dict[str, Any]:
    """A vector of unit length for each text, the same as /embed gives."""
    return _embed(body, body.texts, call, "1")


def embed_v2(body: CohereEmbedV2Request, call: ApiRequest) -> dict[str, Any]:
    """The same; vectors always come by their type."""
    if body.inputs:
        texts = ["\n".join(part.text for part in one.content) for one in body.inputs]
        with map_error_fields(lambda field: field.replace("texts", "inputs", 1)):
            return _embed(body, texts, call, "2")
    if not body.texts:
        raise InvalidInput("this field is required", "texts")
    return _embed(body, body.texts, call, "2")


def _embed(body: CohereEmbedRequest, texts: list[str], call: ApiRequest, version: str) -> dict[str, Any]:
    model = call.known_model("embedding", body.model)
    results = call.predict("embedding", texts, model, blank=True)
    if (
        body.truncate == "NONE"
        and (cut := next((i for i, one in enumerate(results) if one.truncated), None)) is not None
    ):
        raise InvalidInput("the text is longer than the model reads, and truncate is NONE", f"texts[{cut}]")
    vectors = np.stack([result.vector for result in results])
    require_dimensions(body.output_dimension, vectors.shape[1], "output_dimension")
    tokens = call.engine.count_tokens("embedding", texts, model)
    by_type = version == "2" or body.embedding_types is not None
    typed = {kind: _written(kind, vectors) for kind in body.embedding_types or ["float"]}
    return {
        "response_type": "embeddings_by_type" if by_type else "embeddings_floats",
        "id": call.request_id,
        "embeddings": typed if by_type else typed["float"],
        "texts": texts,
        "meta": {
            "api_version": {"version": version, "is_experimental": False},
            "billed_units": {"input_tokens": tokens},
        },
    }


def _written(kind: Type, vectors: np.ndarray[Any, np.dtype[np.float32]]) -> list[Any]:
    return as_numbers(vectors) if kind == "float" else list(map(as_base64, vectors))


ROUTES = (
    Route("/v1/embed", embed_v1, CohereEmbedRequest, TAG, {200: CohereEmbedAnswer, **COHERE_ERRORS}),
    Route("/v2/embed", embed_v2, CohereEmbedV2Request, TAG, {200: CohereEmbedAnswer, **COHERE_ERRORS}),
)
