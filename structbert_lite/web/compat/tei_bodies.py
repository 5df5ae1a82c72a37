"""TEI's body on /predict, and Hugging Face's text classification."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, PlainValidator, RootModel, WithJsonSchema
from pydantic_core import PydanticCustomError

from structbert_lite.results import Classification
from structbert_lite.web.compat.dialect import LenientRequest, tei_body
from structbert_lite.web.compat.fields import Off, TruncationOptions, as_list, as_texts, require_whole, told
from structbert_lite.web.middleware import Ask
from structbert_lite.web.schemas import Count
from structbert_lite.web.texts import TEXT_SCHEMA

TEXT = "这部电影太烂了，完全浪费时间"


def _check_sequences(given: Any) -> str | list[str]:
    """One text, or the texts of a batch. In TEI a flat array of two is a pair and a batch is an array of arrays."""
    if isinstance(given, str):
        return given
    if not isinstance(given, list):
        raise PydanticCustomError("texts_type", "this must be a string or an array of arrays of one string")
    sequences = [given] if given and all(isinstance(item, str) for item in given) else given
    for sequence in sequences:
        if not isinstance(sequence, list) or not all(isinstance(text, str) for text in sequence):
            raise PydanticCustomError("texts_type", "this must be a string or an array of arrays of one string")
        if len(sequence) == 2:
            raise PydanticCustomError(
                "pair",
                'an array of two strings is a pair, and this model reads single texts; a batch is [["a"], ["b"]]',
            )
        if len(sequence) != 1:
            raise PydanticCustomError("batch", 'each text of a batch stands in an array of its own: [["a"], ["b"]]')
    if not sequences:
        raise PydanticCustomError("no_texts", "this must not be empty")
    return given[0] if sequences is not given else [text for (text,) in sequences]


class PredictParameters(LenientRequest):
    """What Hugging Face's client sends beside `inputs`."""

    top_k: Count | None = Field(None, description="How many labels; all of them by default")
    function_to_apply: Literal["softmax"] | None = None


class TEIPredictRequest(TruncationOptions):
    """One text, or a batch as an array of arrays of one. With `parameters` it is Hugging Face's, whose answer nests."""

    model_config = tei_body(
        "/predict",
        tei={"inputs": TEXT},
        tei_several={"inputs": [[TEXT], ["物流很快，包装也很好"]]},
        hugging_face={"inputs": TEXT, "parameters": {"top_k": 1}},
    )

    inputs: Annotated[
        str | list[str],
        PlainValidator(_check_sequences),
        WithJsonSchema(
            {
                "anyOf": [
                    TEXT_SCHEMA,
                    {"type": "array", "items": TEXT_SCHEMA, "minItems": 1, "maxItems": 1},
                    {
                        "type": "array",
                        "items": {"type": "array", "items": TEXT_SCHEMA, "minItems": 1, "maxItems": 1},
                        "minItems": 1,
                    },
                ]
            }
        ),
    ]
    raw_scores: Off = Field(False, description="Scores are always probabilities")
    parameters: PredictParameters | None = None


class TEILabel(BaseModel):
    """A label and its probability."""

    score: float
    label: str


class TEILabels(RootModel[list[TEILabel] | list[list[TEILabel]]]):
    """Every label of a text, best first; of a batch, and for Hugging Face's client, an array of such arrays."""


def predict(body: TEIPredictRequest, ask: Ask) -> list[dict[str, Any]] | list[list[dict[str, Any]]]:
    """TEILabels. Raises as the engine does, and InvalidInput."""
    with told(as_texts("inputs", body.inputs)):
        results = ask("sentiment", as_list(body.inputs), neutral=False)  # these clients cannot ask for it
    require_whole(body, (result.truncated for result in results), "inputs")
    most = body.parameters.top_k if body.parameters else None
    found = [_labels(result)[:most] for result in results]
    # Hugging Face's client always sends `parameters`, and takes the first item of the answer as the text's labels.
    return found[0] if isinstance(body.inputs, str) and body.parameters is None else found


def _labels(result: Classification) -> list[dict[str, Any]]:
    ranked = sorted(result.probabilities.items(), key=lambda item: -item[1])
    return [{"score": score, "label": label} for label, score in ranked]
