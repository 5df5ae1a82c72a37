"""POST /predict and /predict_batch."""

from typing import Annotated, Any

from flask_openapi3 import Tag
from pydantic import BaseModel, Field, RootModel

from structbert_lite.web.compat import tei
from structbert_lite.web.compat.dialect import UnionBody, discriminator, merge_examples
from structbert_lite.web.compat.errors import SHARED_ERRORS
from structbert_lite.web.routing import ApiRequest, Route
from structbert_lite.web.schemas import ERRORS, ModelRequest, Text, Texts, map_error_fields, with_examples

TEXT = "这部电影太烂了，完全浪费时间"
FACT = "这家店早上九点开门"  # no opinion
TAG = Tag(name="sentiment", description="Is this text positive or negative?")


class SentimentRequest(ModelRequest):
    """What may be asked about however many texts."""

    neutral: bool | None = Field(
        None, description="Whether `label` may be `Neutral`, where the model knows it; as the server is set by default"
    )


class PredictRequest(SentimentRequest):
    """One text."""

    model_config = with_examples(one={"text": TEXT}, neutral={"text": FACT, "neutral": True})

    text: Text = Field(min_length=1)


class PredictBatchRequest(SentimentRequest):
    """Several texts; the answer has their order."""

    model_config = with_examples(
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


class PredictBody(RootModel[Annotated[UnionBody[PredictRequest, tei.TEIPredictRequest], discriminator("/predict")]]):
    """Our own body, or that of Text Embeddings Inference and Hugging Face."""

    model_config = merge_examples(PredictRequest, tei.TEIPredictRequest)


class PredictAnswer(RootModel[Prediction | tei.TEILabels]):
    """Our own answer to our own body, labels to the other."""


class Predictions(RootModel[list[Prediction]]):
    """An array of predictions, in request order."""


def predict(body: PredictBody, call: ApiRequest) -> Any:
    """The sentiment of one text."""
    given = body.root
    if isinstance(given, tei.TEIPredictRequest):
        return tei.predict(given, call)
    with map_error_fields({"texts[0]": "text"}):
        (result,) = call.predict("sentiment", [given.text], given.model, neutral=given.neutral)
    return result.answer()


def predict_batch(body: PredictBatchRequest, call: ApiRequest) -> Any:
    """The sentiment of several texts, in request order."""
    results = call.predict("sentiment", body.texts, body.model, neutral=body.neutral)
    return [result.answer() for result in results]


ROUTES = (
    Route("/predict", predict, PredictBody, TAG, {200: PredictAnswer, **SHARED_ERRORS}),
    Route("/predict_batch", predict_batch, PredictBatchRequest, TAG, {200: Predictions, **ERRORS}),
)
