"""Fields that several services have in common, and how errors name them."""

from collections.abc import Callable
from typing import Annotated, Any

from pydantic import PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from structbert_lite.errors import InvalidInput
from structbert_lite.web.schemas import BLANK_SCHEMA, TEXT_SCHEMA


def check_one_or_more(given: Any) -> str | list[Any]:
    """A string, or an array with something in it; else a validation error. What is in it is not looked at."""
    if isinstance(given, str):
        return given
    if not isinstance(given, list):
        raise PydanticCustomError("texts_type", "this must be a string or an array of strings")
    if not given:
        raise PydanticCustomError("no_texts", "this must not be empty")
    return given


def _check_texts(given: Any) -> str | list[str]:
    texts = check_one_or_more(given)
    if isinstance(texts, str):
        return texts
    for i, item in enumerate(texts):
        if isinstance(item, int | list):
            raise PydanticCustomError("token_ids", "token ids are not taken, send the text itself")
        if not isinstance(item, str):
            raise PydanticCustomError("texts_type", "item {item} must be a string", {"item": i})
    return texts


def _one_or_more(text: dict[str, Any]) -> WithJsonSchema:
    return WithJsonSchema({"anyOf": [text, {"type": "array", "items": text, "minItems": 1}]})


# One text or several, never token ids: ours would be another vocabulary's.
OneOrMoreTexts = Annotated[str | list[str], PlainValidator(_check_texts), _one_or_more(TEXT_SCHEMA)]
OneOrMoreBlankTexts = Annotated[str | list[str], PlainValidator(_check_texts), _one_or_more(BLANK_SCHEMA)]


def as_list(texts: str | list[str]) -> list[str]:
    """Several texts, or the one that was given by itself."""
    return [texts] if isinstance(texts, str) else texts


def require_dimensions(wanted: int | None, dimensions: int, field: str = "dimensions") -> None:
    """Raises InvalidInput where vectors of another size are asked for than the model's.

    What is left of a vector that was not trained to be cut (Matryoshka) ranks worse, and nobody would be told.
    """
    if wanted not in (None, dimensions):
        raise InvalidInput(f"this model's vectors have {dimensions} dimensions and cannot be shortened", field)


def as_texts(name: str, given: str | list[str]) -> Callable[[str], str]:
    """For `map_error_fields`: the engine's `texts[i]` is `name[i]`, or `name` where one text was given by itself."""

    def rename(field: str) -> str:
        return name if isinstance(given, str) else field.replace("texts", name, 1)

    return rename
