"""POST /similarity."""

from typing import Annotated, Any, Literal

from flask_openapi3 import Tag
from pydantic import BaseModel, Discriminator, Field, RootModel
from pydantic import Tag as Form

from structbert_lite.results import Kind
from structbert_lite.web.compat import tei
from structbert_lite.web.compat.dialect import UnionBody, discriminator, merge_examples
from structbert_lite.web.compat.errors import SHARED_ERRORS
from structbert_lite.web.routing import ApiRequest, Route
from structbert_lite.web.schemas import MANY, ONE, ModelRequest, Text, map_error_fields, with_examples

TAG = Tag(name="similarity", description="Do these two texts say the same?")
FIELDS = {"pairs[0][0]": "text_a", "pairs[0][1]": "text_b"}


class _DetailsRequest(ModelRequest):
    details: bool = Field(False, description="Whether each answer says which model decided")


class PairRequest(_DetailsRequest):
    """One pair."""

    text_a: Text = Field(min_length=1)
    text_b: Text = Field(min_length=1)


class PairsRequest(_DetailsRequest):
    """Several pairs; the answer has their order."""

    pairs: list[Annotated[list[Text], Field(min_length=2, max_length=2)]] = Field(min_length=1)


class SimilarityRequest(
    RootModel[
        Annotated[
            Annotated[PairRequest, Form(ONE)] | Annotated[PairsRequest, Form(MANY)],
            Discriminator(lambda body: MANY if "pairs" in body else ONE),
        ]
    ]
):
    """One pair, or several."""

    model_config = with_examples(
        one={"text_a": "我的订单什么时候发货", "text_b": "我的订单多久能发货"},
        several={"pairs": [["怎么退款", "如何申请退款"], ["怎么退款", "怎么修改地址"]]},
    )


class SimilarityAnswer(BaseModel):
    """`level` comes from the model's own thresholds, which /models publishes. Both orders get the same score.

    `decided_by`: the encoder compares the vectors of the two; where those are near, a cross-encoder reads both at once.
    """

    text_a: str
    text_b: str
    score: float = Field(ge=0, le=1)
    level: Literal["high", "medium", "low"]
    truncated: bool
    decided_by: Kind | None = Field(None, description="Where the request asked for details")


class SimilarityBody(
    RootModel[Annotated[UnionBody[SimilarityRequest, tei.TEISimilarityRequest], discriminator("/similarity")]]
):
    """Our own body, or that of Text Embeddings Inference and Hugging Face."""

    model_config = merge_examples(SimilarityRequest, tei.TEISimilarityRequest)


class SimilarityAnswers(RootModel[SimilarityAnswer | list[SimilarityAnswer] | tei.TEIScores]):
    """One answer, or an array of them in request order; bare scores to the other body."""


def similarity(body: SimilarityBody, call: ApiRequest) -> Any:
    """How alike two texts are; one pair, or several in request order."""
    if isinstance(body.root, tei.TEISimilarityRequest):
        return tei.similarity(body.root, call)
    given = body.root.root
    if isinstance(given, PairsRequest):
        results = call.predict("similarity", list(map(tuple, given.pairs)), given.model)
        return [result.answer(given.details) for result in results]
    with map_error_fields(FIELDS):
        (result,) = call.predict("similarity", [(given.text_a, given.text_b)], given.model)
    return result.answer(given.details)


ROUTES = (Route("/similarity", similarity, SimilarityBody, TAG, {200: SimilarityAnswers, **SHARED_ERRORS}),)
