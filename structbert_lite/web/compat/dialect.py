"""Which service a request is meant for: told by its path, on shared paths by the names of its fields."""

from enum import StrEnum
from typing import Annotated, Any, TypeAlias, TypeVar, cast

from pydantic import BaseModel, ConfigDict, Discriminator
from pydantic import Tag as Form

from structbert_lite.web.request_telemetry import RequestState
from structbert_lite.web.schemas import OURS, THEIRS, Examples, with_examples


class Dialect(StrEnum):
    """Whose requests, answers and errors a request is about; TEI is Text Embeddings Inference and Hugging Face."""

    OURS = "ours"
    OPENAI = "openai"
    COHERE = "cohere"
    TEI = "tei"


# The first that a path is, or lies below, decides.
PATHS = {
    "/v1/rerank": Dialect.COHERE,
    "/v2": Dialect.COHERE,
    "/v1": Dialect.OPENAI,
    "/info": Dialect.TEI,
}
# Paths that TEI and we share, and the field that only its bodies have there.
SHARED = {
    "/predict": "inputs",
    "/embed": "inputs",
    "/similarity": "inputs",
    "/classify": "inputs",
    "/rerank": "texts",
}
OUR_FIELDS = {"text", "texts", "text_a", "text_b", "pairs", "labels", "documents"}

Ours = TypeVar("Ours")
Theirs = TypeVar("Theirs")
# The type of a body on a shared path, beside `discriminator`: ours or TEI's.
UnionBody: TypeAlias = Annotated[Ours, Form(OURS)] | Annotated[Theirs, Form(THEIRS)]


class LenientRequest(BaseModel):
    """A body whose unknown fields are ignored, as the service does that it is meant for; wrong types are errors."""

    model_config = ConfigDict(extra="ignore", strict=True)


def is_tei_body(body: Any, marker: str) -> bool:
    """Whether a body on a shared path is TEI's. One that also has a field of ours is ours, and refused as such."""
    return isinstance(body, dict) and marker in body and not body.keys() & (OUR_FIELDS - {marker})


def tei_body(path: str, **bodies: Any) -> Examples:
    """The configuration of TEI's body on a shared path: named examples, and that no field of ours stands in it."""
    ours: list[Any] = [{"required": [name]} for name in sorted(OUR_FIELDS - {SHARED[path]})]
    config = with_examples(**bodies)
    config["json_schema_extra"] = {"not": {"anyOf": ours}}
    return config


def discriminator(path: str) -> Discriminator:
    """Which of UnionBody a body on the shared `path` is."""
    marker = SHARED[path]
    return Discriminator(lambda body: THEIRS if isinstance(body, LenientRequest) or is_tei_body(body, marker) else OURS)


def merge_examples(*bodies: type[BaseModel]) -> Examples:
    """The configuration of a body of several forms, with the examples of all of them."""
    configs = [cast("Examples", body.model_config) for body in bodies]  # to pydantic it is a plain ConfigDict
    examples = {name: one for config in configs for name, one in config["openapi_extra"]["examples"].items()}
    return Examples(openapi_extra={"examples": examples})


def detect_dialect(state: RequestState, body: Any) -> None:
    """Before a JSON route, once its body is known to be an object: decides on a shared path."""
    if marker := SHARED.get(state.path):
        state.dialect = Dialect.TEI if is_tei_body(body, marker) else Dialect.OURS


def dialect_of(state: RequestState) -> Dialect:
    """The dialect of a request; ours on a shared path whose body nobody has read yet."""
    return Dialect(state.dialect) if state.dialect else dialect_of_path(state.path)


def dialect_of_path(path: str) -> Dialect:
    """The dialect of a path that is one service's alone; ours for all others."""
    return next((found for of, found in PATHS.items() if path == of or path.startswith(of + "/")), Dialect.OURS)
