"""A JSON route apart from any web framework: the type of its body, and a function from that to what JSON can hold.

Flask's views (api.py) and the fast routes (fast.py) are both made from these.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask_openapi3 import Tag
from flask_openapi3.types import ResponseDict
from pydantic import BaseModel

from structbert_lite.engine import Engine
from structbert_lite.request_context import RequestContext


@dataclass(slots=True)
class ApiRequest:
    """What the function of a route knows of its request beside the body."""

    engine: Engine
    context: RequestContext
    request_id: str
    user_agent: str

    def predict(self, task: str, inputs: list[Any], model: str | None = None, **options: Any) -> list[Any]:
        """The engine's `predict` within this request's deadline."""
        return self.engine.predict(task, inputs, self.context, model, **options)

    def known_model(self, task: str, model: str | None) -> str | None:
        """What a client of another service means by `model`: the alternative of this name, else None, the default."""
        return model if model in self.engine.choices(task)[1:] else None


@dataclass(frozen=True)
class Route:
    """POST `path`. The name and the docstring of `answer` stand in /openapi.json."""

    path: str
    answer: Callable[[Any, ApiRequest], Any]
    body: type[BaseModel]
    tag: Tag
    responses: ResponseDict
