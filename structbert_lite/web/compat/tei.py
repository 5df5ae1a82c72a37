"""Text Embeddings Inference and Hugging Face: their bodies, on whatever path, and what answers them."""

import re
from collections.abc import Iterable
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BaseModel, BeforeValidator, Field, PlainValidator, RootModel, WithJsonSchema
from pydantic_core import PydanticCustomError

from structbert_lite.errors import InvalidInput
from structbert_lite.paths import Dialect
from structbert_lite.results import Classification, as_numbers
from structbert_lite.web.compat.dialect import LenientRequest, examples_of, shared_body
from structbert_lite.web.compat.fields import OneOrMoreBlankTexts, as_list, as_texts, require_dimensions
from structbert_lite.web.routing import ApiRequest
from structbert_lite.web.schemas import TEXT_SCHEMA, Count, Text, Texts, Whole, map_error_fields, with_examples


def _require_bool(given: Any) -> bool:
    if not isinstance(given, bool):  # 0 equals False, also to pydantic's strict Literal
        raise PydanticCustomError("bool_type", "this must be true or false")
    return given


# An option that cannot be switched on here.
MustBeFalse = Annotated[Literal[False], BeforeValidator(_require_bool)]


class TruncationOptions(LenientRequest):
    """`truncate: false` refuses a text of which the model would not read all; only ends are ever cut off."""

    truncate: bool | None = None
    truncation_direction: Literal["right", "Right"] | None = None
    prompt_name: None = None


def require_whole(options: TruncationOptions | None, truncated: Iterable[bool], field: str) -> None:
    """Raises InvalidInput, with `field`, where a text was truncated and the request does not want that."""
    if options and options.truncate is False and any(truncated):
        raise InvalidInput("a text is longer than the model reads, and truncate is false", field)


# Hugging Face's client for JavaScript. Its name is all that tells its bodies from TEI's.
JS_CLIENT = re.compile(r"@huggingface/inference/")
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


class PredictInputs(TruncationOptions):
    """One text, or a batch as an array of arrays of one. With `parameters` it is Hugging Face's, whose answer nests."""

    model_config = with_examples(
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
    raw_scores: MustBeFalse = Field(False, description="Scores are always probabilities")
    parameters: PredictParameters | None = None


class TEIPredictRequest(PredictInputs):
    """PredictInputs on a path of ours."""

    model_config = shared_body("/predict", Dialect.TEI, **examples_of(PredictInputs))


class TEILabel(BaseModel):
    """A label and its probability."""

    score: float
    label: str


class TEILabels(RootModel[list[TEILabel] | list[list[TEILabel]]]):
    """Every label of a text, best first; of a batch, and for Hugging Face's client, an array of such arrays."""


def predict(body: PredictInputs, call: ApiRequest) -> list[dict[str, Any]] | list[list[dict[str, Any]]]:
    """TEILabels. Raises as the engine does, and InvalidInput."""
    with map_error_fields(as_texts("inputs", body.inputs)):
        results = call.predict("sentiment", as_list(body.inputs), neutral=False)  # these clients cannot ask for it
    require_whole(body, (result.truncated for result in results), "inputs")
    most = body.parameters.top_k if body.parameters else None
    found = [_labels(result)[:most] for result in results]
    # Hugging Face's clients take the first item of the answer as the text's labels; in Python they send `parameters`.
    nested = body.parameters is not None or JS_CLIENT.search(call.user_agent)
    return found if nested or not isinstance(body.inputs, str) else found[0]


def _labels(result: Classification) -> list[dict[str, Any]]:
    ranked = sorted(result.probabilities.items(), key=lambda item: -item[1])
    return [{"score": score, "label": label} for label, score in ranked]


class TEISentences(LenientRequest):
    """A sentence, and those that it is compared with."""

    source_sentence: Text
    sentences: Texts


class SimilarityInputs(LenientRequest):
    """One sentence against several."""

    model_config = with_examples(
        tei={"inputs": {"source_sentence": "怎么退款", "sentences": ["如何申请退款", "怎么修改地址"]}}
    )

    inputs: TEISentences
    parameters: TruncationOptions | None = None


class TEISimilarityRequest(SimilarityInputs):
    """SimilarityInputs on a path of ours."""

    model_config = shared_body("/similarity", Dialect.TEI, **examples_of(SimilarityInputs))


class TEIScores(RootModel[list[float]]):
    """The score of each sentence, in request order."""


def similarity(body: SimilarityInputs, call: ApiRequest) -> list[float]:
    """TEIScores: our own /similarity's. Raises as the engine does, and InvalidInput."""
    with map_error_fields(_as_sentences):
        results = call.predict("similarity", [(body.inputs.source_sentence, other) for other in body.inputs.sentences])
    require_whole(body.parameters, (result.truncated for result in results), "inputs")
    return [result.score for result in results]


def _as_sentences(field: str) -> str:
    """`pairs[3][1]` is `inputs.sentences[3]`; the first of every pair is the source."""
    if field.endswith("[0]"):
        return "inputs.source_sentence"
    return "inputs.sentences" + field.removeprefix("pairs").removesuffix("[1]")


class EmbedInputs(TruncationOptions):
    """One text or several; the answer has an array of vectors either way."""

    model_config = with_examples(tei={"inputs": "今天天气很好"}, tei_several={"inputs": ["今天天气很好", "下雨了"]})

    inputs: OneOrMoreBlankTexts
    normalize: bool = Field(True, description="Whether vectors are brought to unit length")
    dimensions: Whole | None = Field(None, description="The model's own number; any other is refused")


class TEIEmbedRequest(EmbedInputs):
    """EmbedInputs on a path of ours."""

    model_config = shared_body("/embed", Dialect.TEI, **examples_of(EmbedInputs))


class TEIVectors(RootModel[list[list[float]]]):
    """A vector for each text, in request order."""


def embed(body: EmbedInputs, call: ApiRequest) -> list[list[float]]:
    """TEIVectors. Raises as the engine does, and InvalidInput."""
    with map_error_fields(as_texts("inputs", body.inputs)):
        results = call.predict("embedding", as_list(body.inputs), normalize=body.normalize, blank=True)
    require_whole(body, (result.truncated for result in results), "inputs")
    vectors = np.stack([result.vector for result in results])
    require_dimensions(body.dimensions, vectors.shape[1])
    return as_numbers(vectors)


class RerankInputs(TruncationOptions):
    """A query and texts. Long texts are read whole, window by window."""

    model_config = with_examples(
        tei={"query": "如何办理退款", "texts": ["退款请在订单页面申请", "早上九点开门"], "return_text": True}
    )

    query: Text
    texts: Texts
    raw_scores: MustBeFalse = Field(False, description="Scores are always between 0 and 1")
    return_text: bool = Field(False, description="Whether each result holds its text")


class TEIRerankRequest(RerankInputs):
    """RerankInputs on a path of ours."""

    model_config = shared_body("/rerank", Dialect.TEI, **examples_of(RerankInputs))


class TEIRank(BaseModel):
    """`index` is the text's place in the request."""

    index: int
    text: str | None = None
    score: float


class TEIRanks(RootModel[list[TEIRank]]):
    """Every text, best first."""


def rerank(body: RerankInputs, call: ApiRequest) -> list[dict[str, Any]]:
    """TEIRanks. Raises as the engine does, and InvalidInput."""
    with map_error_fields(lambda field: field.replace("documents", "texts", 1)):
        ranked = call.predict("rerank", body.texts, query=body.query)
    require_whole(body, (one.truncated for one in ranked), "texts")
    return [
        {"index": one.index, **({"text": body.texts[one.index]} if body.return_text else {}), "score": one.score}
        for one in ranked
    ]
