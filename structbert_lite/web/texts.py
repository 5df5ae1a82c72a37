"""Types of the texts in a request: their JSON Schema says what the engine refuses in them.

The engine itself checks it (tasks/inputs.py), so that its message names the text; here it is only described.
"""

from typing import Annotated

from pydantic import Field, WithJsonSchema

# Only nearly what the engine wants, a character that can be seen: not every reader of patterns knows `\p{L}`.
TEXT_SCHEMA = {"type": "string", "minLength": 1, "pattern": r"\S"}

Text = Annotated[str, WithJsonSchema(TEXT_SCHEMA)]
Texts = Annotated[list[Text], Field(min_length=1)]
Labels = Annotated[list[Text], Field(min_length=1, json_schema_extra={"uniqueItems": True})]
Template = Annotated[str, WithJsonSchema({"type": "string", "pattern": r"\{\}"})]
