"""What the page of a task is made of."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from structbert_lite.manifest import Task

# (inputs, **options) -> results: the engine's `predict` of this panel's task with this request's deadline.
Ask = Callable[..., list[Any]]


@dataclass(frozen=True)
class Panel:
    """`name` of the template, the script and the page's endpoint; `api`: the endpoint of the JSON route behind it.

    `answer` takes the form's fields, line ends as LF, and returns what the template shows.
    """

    task: Task
    name: str
    path: str
    api: str
    fields: tuple[str, ...]
    answer: Callable[[Mapping[str, str], Ask], Any]
    max_items: int | None = None  # where the page shows fewer than the API takes
