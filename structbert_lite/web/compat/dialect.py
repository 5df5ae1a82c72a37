"""Types for the bodies that other services' clients send, told apart by the table in paths.py."""

from typing import Annotated, Any, Literal, TypeAlias, TypeVar, cast

from pydantic import BaseModel, BeforeValidator, ConfigDict, Discriminator
from pydantic import Tag as Form

from structbert_lite.errors import InvalidInput
from structbert_lite.paths import FORMS_AT, OUR_FIELDS, Dialect, dialect_of_path, find_clash, find_form
from structbert_lite.web.request_telemetry import RequestState
from structbert_lite.web.schemas import JINA, OURS, TEI, Examples, with_examples

TAGS = {Dialect.TEI: TEI, Dialect.JINA: JINA}

Ours = TypeVar("Ours")
Theirs = TypeVar("Theirs")
# The type of a body on a path that TEI and we share, beside `discriminator`.
UnionBody: TypeAlias = Annotated[Ours, Form(OURS)] | Annotated[Theirs, Form(TEI)]


class LenientRequest(BaseModel):
    """A body whose unknown fields are ignored, as the service does that it is meant for; wrong types are errors."""

    model_config = ConfigDict(extra="ignore", strict=True)


def _read_text(given: Any) -> Any:
    if not isinstance(given, str):
        return given
    text = given.strip().lower()
    return {"true": True, "false": False}.get(text, int(text) if text.isdecimal() else given)


# Python services read "true" and "3" as true and 3, and some of their clients send nothing else.
SpelledBool = Annotated[bool, BeforeValidator(_read_text)]
Spelled = BeforeValidator(_read_text)


def shared_body(path: str, dialect: Literal[Dialect.TEI, Dialect.JINA], **bodies: Any) -> Examples:
    """The configuration of a body on a shared path: named examples, and that no field of ours stands in it."""
    own = {field for form in FORMS_AT[path] if form.dialect == dialect for field in form.names}
    config = with_examples(**bodies)
    config["json_schema_extra"] = {"not": {"anyOf": [{"required": [name]} for name in sorted(OUR_FIELDS - own)]}}
    return config


def examples_of(body: type[BaseModel]) -> dict[str, Any]:
    """The named examples in a body's configuration."""
    config = cast("Examples", body.model_config)  # to pydantic it is a plain ConfigDict
    return {name: one["value"] for name, one in config["openapi_extra"]["examples"].items()}


def discriminator(path: str) -> Discriminator:
    """Which form of UnionBody a body on the shared `path` is."""

    def tag(body: Any) -> str:
        form = find_form(path, body) if isinstance(body, dict) else None
        return TAGS[form.dialect] if form else OURS

    return Discriminator(tag)


def merge_examples(*bodies: type[BaseModel]) -> Examples:
    """The configuration of a body of several forms, with the examples of all of them."""
    return with_examples(**{name: value for body in bodies for name, value in examples_of(body).items()})


def detect_dialect(state: RequestState, body: dict[str, Any]) -> None:
    """Before a JSON route, once its body is read: whose it is. Raises InvalidInput for one that is of two forms."""
    form = find_form(state.path, body)
    state.dialect = form.dialect if form else dialect_of_path(state.path)
    if clash := find_clash(state.path, body):
        theirs, other = clash
        raise InvalidInput(f"`{theirs}` and `{other}` are of two different requests, send only one of them", theirs)
