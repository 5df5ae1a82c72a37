"""Types that all routes share: they validate requests and describe answers; /openapi.json is made from them."""

import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Annotated, Any

from flask_openapi3.types import ResponseDict
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from structbert_lite.errors import InvalidInput

# A body of two forms is told apart by these tags; they are in pydantic's path to an error and not in the request.
ONE, MANY, OBJECT, OURS, TEI, JINA = "<one>", "<many>", "<object>", "<ours>", "<tei>", "<jina>"
FORM = re.compile(r"<[a-z-]+>")


class Examples(ConfigDict, total=False):
    """A model's configuration with what the OpenAPI library reads there."""

    openapi_extra: dict[str, Any]


def with_examples(**bodies: Any) -> Examples:
    """A model's configuration with named examples of whole bodies, for /openapi.json: the fields' own get lost."""
    return Examples(openapi_extra={"examples": {name: {"value": body} for name, body in bodies.items()}})


def _as_integer(given: Any) -> Any:
    return int(given) if isinstance(given, float) and given.is_integer() else given


# JSON has one kind of number: 3.0 is the whole number 3, to JSON Schema, too.
Whole = Annotated[int, BeforeValidator(_as_integer)]
Count = Annotated[int, Field(ge=1), BeforeValidator(_as_integer)]

# The texts in a request. The schema says what the engine refuses in them; the engine itself checks it
# (tasks/inputs.py), so that its message names the text, and here it is only described. It says only nearly what the
# engine wants, a character that can be seen: not every reader of patterns knows `\p{L}`.
TEXT_SCHEMA = {"type": "string", "minLength": 1, "pattern": r"\S"}
# Where a blank text is taken as an empty input.
BLANK_SCHEMA = {"type": "string", "minLength": 1}
Text = Annotated[str, WithJsonSchema(TEXT_SCHEMA)]
Texts = Annotated[list[Text], Field(min_length=1)]
BlankTexts = Annotated[list[Annotated[str, WithJsonSchema(BLANK_SCHEMA)]], Field(min_length=1)]
Labels = Annotated[list[Text], Field(min_length=1, json_schema_extra={"uniqueItems": True})]
Template = Annotated[str, WithJsonSchema({"type": "string", "pattern": r"\{\}"})]


class StrictRequest(BaseModel):
    """A body whose unknown fields and wrong types are errors."""

    model_config = ConfigDict(extra="forbid", strict=True)


class ModelRequest(StrictRequest):
    """A body that may say which of several models answers."""

    model: str | None = Field(
        None, description="Which of the task's models answers, by its `model` at /models; the default one by default"
    )


class ModelLimits(BaseModel):
    """`max_tokens` of one input; `max_items` in one request; `max_body_bytes` of one request."""

    max_tokens: int
    max_items: int
    max_body_bytes: int


class EarlyExitFacts(BaseModel):
    """`layers` of the model, and after which of them a text that is clear leaves; `on`: whether it does here."""

    on: bool
    layers: int
    exits: list[int]


class ModelFacts(BaseModel):
    """A model that is installed for one task.

    `model`: what a request says to choose it; `default`: whether it answers where a request says nothing;
    `thresholds`: scores that part a pair's levels, or what makes a sentiment uncertain: `neutral` or more, a `margin`
    between the two opinions below this one; `dimensions` of a vector, null where the model gives none;
    `early_exit`: null where the model has no exits;
    `loaded`: false until the task's first request, where models are loaded lazily.
    """

    task: str
    name: str
    model: str
    default: bool
    labels: list[str]
    thresholds: dict[str, float]
    dimensions: int | None
    limits: ModelLimits
    digest: str
    source: dict[str, str]
    license: str
    early_exit: EarlyExitFacts | None
    loaded: bool


class ModelList(BaseModel):
    """The models of every task that can be served, the default one first."""

    models: list[ModelFacts]


class Status(BaseModel):
    """A health answer."""

    status: str


class ErrorFacts(BaseModel):
    """`field` names the part of the request at fault, where there is one."""

    type: str
    message: str
    field: str | None = None


class ErrorBody(BaseModel):
    """An error's JSON. The OpenAPI library asks for its schema at each status of each route, and it is made once."""

    @classmethod
    @cache
    def model_json_schema(cls, *args: Any, **options: Any) -> dict[str, Any]:  # type: ignore[override]
        """As pydantic makes it; not to be changed."""
        return super().model_json_schema(*args, **options)


class ErrorAnswer(ErrorBody):
    """Every error of every route."""

    model_config = with_examples(
        error={"error": {"type": "invalid_input", "message": "this must be a string", "field": "text"}}
    )

    error: ErrorFacts


ERRORS: ResponseDict = dict.fromkeys((400, 404, 413, 415, 422, 429, 500, 503, 504), ErrorAnswer)


def describe(location: tuple[Any, ...]) -> str:
    """A field's path as a user writes it: ("texts", 3) is `texts[3]`."""
    path = ""
    for part in location:
        if not (isinstance(part, str) and FORM.fullmatch(part)):
            path += f"[{part}]" if isinstance(part, int) else f".{part}" if path else str(part)
    return path


class map_error_fields:  # noqa: N801 - it is used as a function is, in a `with`
    """Names the fields of errors as this caller wrote them: a route for one text has `text` for `texts[0]`."""

    def __init__(self, names: Mapping[str, str] | Callable[[str], str]) -> None:
        """`names`: the engine's names and the caller's, or a function from one to the other."""
        self._names = names

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, InvalidInput):
            names = self._names
            error.field = names(error.field) if callable(names) else names.get(error.field, error.field)


def name_operation(*, name: str, path: str, method: str) -> str:
    """An operation's id in /openapi.json: the function's name, which code generators use as theirs."""
    return name
