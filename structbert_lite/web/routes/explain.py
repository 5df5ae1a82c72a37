"""POST /explain."""

from typing import Any

from flask_openapi3 import Tag
from pydantic import BaseModel, Field

from structbert_lite.web.routes.sentiment import FACT, TEXT, Prediction, SentimentRequest
from structbert_lite.web.routing import ApiRequest, Route
from structbert_lite.web.schemas import ERRORS, Text, map_error_fields, with_examples

TAG = Tag(name="explain", description="Which words decided the sentiment?")


class ExplainRequest(SentimentRequest):
    """One text."""

    model_config = with_examples(one={"text": TEXT}, neutral={"text": FACT, "neutral": True})

    text: Text = Field(min_length=1)


class Word(BaseModel):
    """Characters `start` to `end` of the text; `weight`: how far they move the label's log-odds, below 0: away."""

    text: str
    start: int
    end: int
    weight: float


class ExplainAnswer(Prediction):
    """The answer of /predict, and the words of the text in its order."""

    words: list[Word]


def explain(body: ExplainRequest, call: ApiRequest) -> Any:
    """The sentiment of one text, and the words that decided it."""
    with map_error_fields({"texts[0]": "text"}):
        (result,) = call.predict("explain", [body.text], body.model, neutral=body.neutral)
    return result.answer()


ROUTES = (Route("/explain", explain, ExplainRequest, TAG, {200: ExplainAnswer, **ERRORS}),)
