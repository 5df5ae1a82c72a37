"""Hugging Face's zero-shot classification, on the path of our own /classify."""

import re
from typing import Any

from flask import request
from pydantic import BaseModel, Field, RootModel

from structbert_lite.web.compat.dialect import LenientRequest, tei_body
from structbert_lite.web.compat.fields import told
from structbert_lite.web.middleware import Ask
from structbert_lite.web.texts import Labels, Template, Text

FIELDS = {
    "texts[0]": "inputs",
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


class HuggingFaceZeroShotRequest(LenientRequest):
    """One text."""

    model_config = tei_body(
        "/classify",
        hugging_face={
            "inputs": "我想问一下这款手机什么时候有货",
            "parameters": {"candidate_labels": ["咨询", "投诉", "建议"]},
        },
    )

    inputs: Text
    parameters: ZeroShotParameters


class ZeroShotLabel(BaseModel):
    """A label and its score."""

    label: str
    score: float


class ZeroShotColumns(BaseModel):
    """The older form of the same."""

    sequence: str
    labels: list[str]
    scores: list[float]


class HuggingFaceZeroShotAnswer(RootModel[list[ZeroShotLabel] | ZeroShotColumns]):
    """Every label, best first; in columns for a huggingface_hub before 1.1.5, which reads nothing else."""


def zero_shot(body: HuggingFaceZeroShotRequest, ask: Ask) -> list[dict[str, Any]] | dict[str, Any]:
    """HuggingFaceZeroShotAnswer. Raises as the engine does."""
    options = body.parameters
    with told(_as_parameters):
        (result,) = ask(
            "zero-shot",
            [body.inputs],
            labels=options.candidate_labels,
            multi_label=bool(options.multi_label),
            **({} if options.hypothesis_template is None else {"hypothesis_template": options.hypothesis_template}),
        )
    if OLD_CLIENT.search(request.headers.get("User-Agent", "")):
        return {"sequence": result.text, "labels": list(result.labels), "scores": list(result.scores)}
    return [{"label": label, "score": score} for label, score in zip(result.labels, result.scores, strict=True)]


def _as_parameters(field: str) -> str:
    name = field if field in FIELDS else field.partition("[")[0]
    return FIELDS.get(name, name) + field.removeprefix(name)
