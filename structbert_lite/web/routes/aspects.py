"""POST /aspects."""

from typing import Annotated, Any

from flask_openapi3 import Tag
from pydantic import BaseModel, Discriminator, Field, RootModel
from pydantic import Tag as Form

from structbert_lite.results import Polarity
from structbert_lite.tasks.aspect_words import Domain
from structbert_lite.web.routing import ApiRequest, Route
from structbert_lite.web.schemas import (
    ERRORS,
    MANY,
    ONE,
    Labels,
    ModelRequest,
    Text,
    Texts,
    map_error_fields,
    with_examples,
)

TAG = Tag(name="aspects", description="What does this review speak of, and how?")
REVIEW = "物流很快，包装也严实，就是价格有点贵"


class _AspectsRequest(ModelRequest):
    aspects: Labels | None = Field(None, description="In any words, all different; a list of usual ones by default")
    domain: Domain | None = Field(None, description="Instead of `aspects`: the list for this kind of review")


class TextAspectsRequest(_AspectsRequest):
    """One text."""

    text: Text = Field(min_length=1)


class TextsAspectsRequest(_AspectsRequest):
    """Several texts; the answer has their order."""

    texts: Texts


class AspectsRequest(
    RootModel[
        Annotated[
            Annotated[TextAspectsRequest, Form(ONE)] | Annotated[TextsAspectsRequest, Form(MANY)],
            Discriminator(lambda body: MANY if "texts" in body else ONE),
        ]
    ]
):
    """One text, or several."""

    model_config = with_examples(
        one={"text": REVIEW},
        several={"texts": ["房间干净，隔音太差", "早餐种类很多"], "domain": "hotel"},
        own={"text": "屏幕有划痕，电池倒是耐用", "aspects": ["屏幕", "电池", "拍照"]},
    )


class AspectAnswer(BaseModel):
    """How a text speaks of one aspect; `score`: the probability that it does so."""

    aspect: str
    polarity: Polarity
    score: float = Field(ge=0, le=1)


class AspectsAnswer(BaseModel):
    """The aspects that the text has an opinion of, in the order in which they were asked for."""

    text: str
    aspects: list[AspectAnswer]
    truncated: bool


class AspectsAnswers(RootModel[AspectsAnswer | list[AspectsAnswer]]):
    """One answer, or an array of them in request order."""


def aspects(body: AspectsRequest, call: ApiRequest) -> Any:
    """Which aspects a review names, and how it speaks of each; one text, or several in request order."""
    given = body.root
    options = {"aspects": given.aspects, "domain": given.domain}
    if isinstance(given, TextsAspectsRequest):
        return [result.answer() for result in call.predict("aspects", given.texts, given.model, **options)]
    with map_error_fields({"texts[0]": "text", "texts": "aspects"}):
        (result,) = call.predict("aspects", [given.text], given.model, **options)
    return result.answer()


ROUTES = (Route("/aspects", aspects, AspectsRequest, TAG, {200: AspectsAnswers, **ERRORS}),)
