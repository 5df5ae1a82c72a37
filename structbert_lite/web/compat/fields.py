"""Fields that several services have in common, and how errors name them."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from structbert_lite.errors import InvalidInput
from structbert_lite.web.compat.dialect import LenientRequest
from structbert_lite.web.texts import TEXT_SCHEMA


def _check_texts(given: Any) -> str | list[str]:
    if isinstance(given, str):
        return given
    if not isinstance(given, list):
        raise PydanticCustomError("texts_type", "this must be a string or an array of strings")
    if not given:
        raise PydanticCustomError("no_texts", "this must not be empty")
    for i, item in enumerate(given):
        if isinstance(item, int | list):
            raise PydanticCustomError("token_ids", "token ids are not taken, send the text itself")
        if not isinstance(item, str):
            raise PydanticCustomError("texts_type", "item {item} must be a string", {"item": i})
    return given


# One text or several, never token ids: ours would be another vocabulary's.
Texts = Annotated[
    str | list[str],
    PlainValidator(_check_texts),
    WithJsonSchema(
        {"anyOf": [TEXT_SCHEMA, {"type": "array", "items": TEXT_SCHEMA, "minItems": 1}]},
    ),
]


def _require_bool(given: Any) -> bool:
    if not isinstance(given, bool):  # 0 equals False, also to pydantic's strict Literal
        raise PydanticCustomError("bool_type", "this must be true or false")
    return given


# An option that cannot be switched on here.
Off = Annotated[Literal[False], BeforeValidator(_require_bool)]


class TruncationOptions(LenientRequest):
    """`truncate: false` refuses a text of which the model would not read all; only ends are ever cut off."""

    truncate: bool | None = None
    truncation_direction: Literal["right", "Right"] | None = None
    prompt_name: None = None


def as_list(texts: str | list[str]) -> list[str]:
    """Several texts, or the one that was given by itself."""
    return [texts] if isinstance(texts, str) else texts


def require_whole(options: TruncationOptions | None, truncated: Iterable[bool], field: str) -> None:
    """Raises InvalidInput, with `field`, where a text was truncated and the request does not want that."""
    if options and options.truncate is False and any(truncated):
        raise InvalidInput("a text is longer than the model reads, and truncate is false", field)


def require_dimensions(wanted: int | None, dimensions: int) -> None:
    """Raises InvalidInput where vectors of another size are asked for than the model's."""
    if wanted not in (None, dimensions):
        raise InvalidInput(f"this model's vectors have {dimensions} dimensions and cannot be shortened", "dimensions")


@contextmanager
def told(rename: Callable[[str], str]) -> Iterator[None]:
    """Names the fields of errors as this service's clients write them."""
    try:
        yield
    except InvalidInput as error:
        error.field = rename(error.field)
        raise


def as_texts(name: str, given: str | list[str]) -> Callable[[str], str]:
    """For `told`: the engine's `texts[i]` is `name[i]`, or `name` where one text was given by itself."""

    def rename(field: str) -> str:
        if not field.startswith("texts"):  # a header's name
            return field
        return name if isinstance(given, str) else field.replace("texts", name, 1)

    return rename
