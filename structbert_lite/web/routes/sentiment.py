"""POST /predict and /predict_batch."""

from typing import Annotated, Any

from flask import Response, jsonify
from flask_openapi3 import APIBlueprint, Tag
from pydantic import BaseModel, Field, RootModel

from structbert_lite.results import Classification
from structbert_lite.web.compat import tei_bodies as tei
from structbert_lite.web.compat.dialect import Either, shown_of, told_apart
from structbert_lite.web.compat.errors import SHARED_ERRORS
from structbert_lite.web.middleware import Ask, renamed
from structbert_lite.web.schemas import ERRORS, StrictRequest, shown
from structbert_lite.web.texts import Text, Texts

TEXT = "这部电影太烂了，完全浪费时间"
FACT = "这家店早上九点开门"  # no opinion
TAG = Tag(name="sentiment", description="Is this text positive or negative?")


class _SentimentRequest(StrictRequest):
    neutral: bool | None = Field(
        None, description="Whether `label` may be `Neutral`, where the model knows it; as the server is set by default"
    )


class PredictRequest(_SentimentRequest):
    """One text."""

    model_config = shown(one={"text": TEXT}, neutral={"text": FACT, "neutral": True})

    text: Text = Field(min_length=1)


class PredictBatchRequest(_SentimentRequest):
    """Several texts; the answer has their order."""

    model_config = shown(
        several={"texts": [TEXT, "物流很快，包装也很好"]}, neutral={"texts": [TEXT, FACT], "neutral": True}
    )

    texts: Texts


class Prediction(BaseModel):
    """`score` is the probability of `label`; `truncated`: the model read only the text's beginning.

    `neutral`: the probability that the text has no opinion; `uncertain`: the answer should not be relied on.
    """

    text: str
    label: str
    score: float = Field(ge=0, le=1)
    probabilities: dict[str, float]
    truncated: bool
    neutral: float | None = Field(None, ge=0, le=1, description="Where the model knows texts without an opinion")
    uncertain: bool | None = Field(None, description="Where the model knows texts without an opinion")


class PredictBody(RootModel[Annotated[Either[PredictRequest, tei.TEIPredictRequest], told_apart("/predict")]]):
    """Our own body, or that of Text Embeddings Inference and Hugging Face."""

    model_config = shown_of(PredictRequest, tei.TEIPredictRequest)


class PredictAnswer(RootModel[Prediction | tei.TEILabels]):
    """Our own answer to our own body, labels to the other."""


class Predictions(RootModel[list[Prediction]]):
    """An array of predictions, in request order."""


def add_routes(api: APIBlueprint, ask: Ask) -> None:
    @api.post("/predict", tags=[TAG], responses={200: PredictAnswer, **SHARED_ERRORS})
    def predict(body: PredictBody) -> Response:
        """The sentiment of one text."""
        given = body.root
        if isinstance(given, tei.TEIPredictRequest):
            return jsonify(tei.predict(given, ask))
        with renamed({"texts[0]": "text"}):
            (result,) = ask("sentiment", [given.text], neutral=given.neutral)
        return jsonify(_prediction(result))

    @api.post("/predict_batch", tags=[TAG], responses={200: Predictions, **ERRORS})
    def predict_batch(body: PredictBatchRequest) -> Response:
        """The sentiment of several texts, in request order."""
        results = ask("sentiment", body.texts, neutral=body.neutral)
        return jsonify([_prediction(result) for result in results])


def _prediction(result: Classification) -> dict[str, Any]:
    own = {} if result.neutral is None else {"neutral": result.neutral, "uncertain": result.uncertain}
    return {
        "text": result.text,
        "label": result.label,
        "score": result.score,
        "probabilities": result.probabilities,
        "truncated": result.truncated,
        **own,
    }
