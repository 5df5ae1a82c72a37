"""The types that validate requests and describe answers; /openapi.json is made from them."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, RootModel

EXAMPLE = "这部电影太烂了，完全浪费时间"


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class PredictRequest(_Request):
    """One text."""

    text: str = Field(min_length=1, examples=[EXAMPLE])


class PredictBatchRequest(_Request):
    """Several texts; the answer has their order."""

    texts: list[str] = Field(min_length=1, examples=[[EXAMPLE, "物流很快，包装也很好"]])


class Prediction(BaseModel):
    """`score` is the probability of `label`; `truncated`: the model read only the text's beginning."""

    text: str
    label: str = Field(examples=["Negative"])
    score: float = Field(ge=0, le=1, examples=[0.983])
    probabilities: dict[str, float] = Field(examples=[{"Negative": 0.983, "Positive": 0.017}])
    truncated: bool


class Predictions(RootModel[list[Prediction]]):
    """An array of predictions, in request order."""


class ModelLimits(BaseModel):
    """`max_tokens` of one text; `max_items` in one request; `max_body_bytes` of one request."""

    max_tokens: int
    max_items: int
    max_body_bytes: int


class ModelFacts(BaseModel):
    """What is loaded for one task."""

    task: str
    name: str
    labels: list[str]
    thresholds: dict[str, float]
    limits: ModelLimits
    digest: str
    source: dict[str, str]
    license: str


class ModelList(BaseModel):
    """Every loaded model."""

    models: list[ModelFacts]


class Status(BaseModel):
    """A health answer."""

    status: str


class ErrorFacts(BaseModel):
    """`field` names the part of the request at fault, where there is one."""

    type: str = Field(examples=["invalid_input"])
    message: str
    field: str | None = Field(None, examples=["texts[3]"])


class ErrorAnswer(BaseModel):
    """Every error of every route."""

    error: ErrorFacts


def describe(location: tuple[Any, ...]) -> str:
    """A field's path as a user writes it: ("texts", 3) is `texts[3]`."""
    path = ""
    for part in location:
        path += f"[{part}]" if isinstance(part, int) else f".{part}" if path else str(part)
    return path


def name_operation(*, name: str, path: str, method: str) -> str:
    """An operation's id in /openapi.json: the function's name, which code generators use as theirs."""
    return name
