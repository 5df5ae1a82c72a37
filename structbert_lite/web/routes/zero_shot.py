"""POST /classify."""

from typing import Annotated, Any

from flask_openapi3 import Tag
from pydantic import BaseModel, Discriminator, Field, RootModel
from pydantic import Tag as Form

from structbert_lite.web.compat.dialect import UnionBody, discriminator, merge_examples
from structbert_lite.web.compat.errors import SHARED_ERRORS
from structbert_lite.web.compat.zero_shot import HuggingFaceZeroShotAnswer, HuggingFaceZeroShotRequest, zero_shot
from structbert_lite.web.routing import ApiRequest, Route
from structbert_lite.web.schemas import (
    MANY,
    ONE,
    Labels,
    ModelRequest,
    Template,
    Text,
    Texts,
    map_error_fields,
    with_examples,
)

TAG = Tag(name="zero-shot", description="Which of my own labels fits this text?")


class _LabelsRequest(ModelRequest):
    labels: Labels = Field(description="All different")
    multi_label: bool = Field(False, description="Score each label by itself, so that several may fit, or none")
    hypothesis_template: Template = Field("{}", description="`{}` is where a label goes; a sentence is often better")
    none: bool = Field(False, description="Add the probability that no label fits")


class ClassifyRequest(_LabelsRequest):
    """One text."""

    text: Text = Field(min_length=1)


class ClassifyBatchRequest(_LabelsRequest):
    """Several texts; the answer has their order."""

    texts: Texts


class ClassificationRequest(
    RootModel[
        Annotated[
            Annotated[ClassifyRequest, Form(ONE)] | Annotated[ClassifyBatchRequest, Form(MANY)],
            Discriminator(lambda body: MANY if "texts" in body else ONE),
        ]
    ]
):
    """One text, or several."""

    model_config = with_examples(
        one={"text": "我想问一下这款手机什么时候有货", "labels": ["咨询", "投诉", "建议"]},
        several={
            "texts": ["什么时候有货", "客服态度太差了"],
            "labels": ["咨询", "投诉", "建议"],
            "multi_label": True,
            "hypothesis_template": "这句话的意图是{}",
        },
        none={"text": "今天晚上吃什么", "labels": ["咨询", "投诉", "建议"], "none": True},
    )


class ClassificationAnswer(BaseModel):
    """The labels, best first, and their scores, which sum to 1 unless each label was scored by itself.

    `none` changes nothing in the scores.
    """

    text: str
    labels: list[str]
    scores: list[float]
    none: float | None = Field(None, ge=0, le=1, description="The probability that no label fits, where it was asked")
    truncated: bool


class ClassificationBody(
    RootModel[Annotated[UnionBody[ClassificationRequest, HuggingFaceZeroShotRequest], discriminator("/classify")]]
):
    """Our own body, or that of Hugging Face."""

    model_config = merge_examples(ClassificationRequest, HuggingFaceZeroShotRequest)


class ClassificationAnswers(RootModel[ClassificationAnswer | list[ClassificationAnswer] | HuggingFaceZeroShotAnswer]):
    """One answer, or an array of them in request order; labels with scores to the other body."""


def classify(body: ClassificationBody, call: ApiRequest) -> Any:
    """Which of the given labels fits; one text, or several in request order."""
    if isinstance(body.root, HuggingFaceZeroShotRequest):
        return zero_shot(body.root, call)
    given = body.root.root
    options = {
        "labels": given.labels,
        "multi_label": given.multi_label,
        "hypothesis_template": given.hypothesis_template,
        "none": given.none,
    }
    if isinstance(given, ClassifyBatchRequest):
        return [result.answer() for result in call.predict("zero-shot", given.texts, given.model, **options)]
    with map_error_fields({"texts[0]": "text"}):
        (result,) = call.predict("zero-shot", [given.text], given.model, **options)
    return result.answer()


ROUTES = (Route("/classify", classify, ClassificationBody, TAG, {200: ClassificationAnswers, **SHARED_ERRORS}),)
