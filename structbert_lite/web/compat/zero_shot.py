"""Hugging Face's zero-shot classification, which Text Embeddings Inference does not have."""

import re
from collections.abc import Callable
from typing import Any

from pydantic import BaseModel, Field, RootModel

from structbert_lite.paths import Dialect
from structbert_lite.results import ZeroShot
from structbert_lite.web.compat.dialect import LenientRequest, examples_of, shared_body
from structbert_lite.web.compat.fields import OneOrMoreTexts, as_list, as_texts
from structbert_lite.web.compat.tei import JS_CLIENT
from structbert_lite.web.routing import ApiRequest
from structbert_lite.web.schemas import Labels, Template, map_error_fields, with_examples

FIELDS = {
    "labels": "parameters.candidate_labels",
    "hypothesis_template": "parameters.hypothesis_template",
}
# Before 1.1.5 the client reads the answer as {"labels", "scores"}; it sends the same body, only its name tells.
OLD_CLIENT = re.compile(r"\bhf_hub/(0\.|1\.0\.|1\.1\.[0-4]\b)")


class ZeroShotParameters(LenientRequest):
    """The labels, all different, and how they are scored."""

    candidate_labels: Labels
    multi_label: bool | None = Field(None, description="Score each label by itself; false by default")
    hypothesis_template: Template | None = Field(None, description="`{}`, where a label goes, by default")


class ZeroShotInputs(LenientRequest):
    """One text, or several."""

    model_config = with_examples(
        hugging_face={
            "inputs": "我想问一下这款手机什么时候有货",
            "parameters": {"candidate_labels": ["咨询", "投诉", "建议"]},
        },
    )

    inputs: OneOrMoreTexts
    parameters: ZeroShotParameters


class HuggingFaceZeroShotRequest(ZeroShotInputs):
    """ZeroShotInputs on a path of ours."""

    model_config = shared_body("/classify", Dialect.TEI, **examples_of(ZeroShotInputs))


class ZeroShotLabel(BaseModel):
    """A label and its score."""

    label: str
    score: float


class ZeroShotColumns(BaseModel):
    """The older form of the same."""

    sequence: str
    labels: list[str]
    scores: list[float]


class HuggingFaceZeroShotAnswer(RootModel[list[ZeroShotLabel] | ZeroShotColumns | list[list[ZeroShotLabel]]]):
    """Every label, best first; in columns for a huggingface_hub before 1.1.5, which reads nothing else.

    Of several texts an array of such arrays.
    """


def zero_shot(body: ZeroShotInputs, call: ApiRequest) -> list[Any] | dict[str, Any]:
    """HuggingFaceZeroShotAnswer. Raises as the engine does."""
    options = body.parameters
    texts = as_list(body.inputs)
    template = {} if options.hypothesis_template is None else {"hypothesis_template": options.hypothesis_template}
    with map_error_fields(_renamed(body.inputs)):
        results = call.predict(
            "zero-shot",
            texts,
            labels=options.candidate_labels,
            multi_label=bool(options.multi_label),
            **template,
        )
    if isinstance(body.inputs, str) and OLD_CLIENT.search(call.user_agent):
        return {"sequence": texts[0], "labels": list(results[0].labels), "scores": list(results[0].scores)}
    answers = [_labels(result) for result in results]
    # The client for JavaScript is given a list in its own example, and reads the labels of one text alone.
    alone = isinstance(body.inputs, str) or (len(texts) == 1 and JS_CLIENT.search(call.user_agent))
    return answers[0] if alone else answers


def _labels(result: ZeroShot) -> list[dict[str, Any]]:
    return [{"label": label, "score": score} for label, score in zip(result.labels, result.scores, strict=True)]


def _renamed(inputs: str | list[str]) -> Callable[[str], str]:
    rename_text = as_texts("inputs", inputs)

    def rename(field: str) -> str:
        name = field.partition("[")[0]
        return rename_text(field) if name == "texts" else FIELDS.get(name, name) + field.removeprefix(name)

    return rename
