"""TEI's body on /embed."""

import numpy as np
from pydantic import Field, RootModel

from structbert_lite.web.compat.dialect import tei_body
from structbert_lite.web.compat.fields import (
    Texts,
    TruncationOptions,
    as_list,
    as_texts,
    require_dimensions,
    require_whole,
    told,
)
from structbert_lite.web.middleware import Ask
from structbert_lite.web.schemas import Whole
from structbert_lite.web.vectors import as_numbers


class TEIEmbedRequest(TruncationOptions):
    """One text or several; the answer has an array of vectors either way."""

    model_config = tei_body(
        "/embed", tei={"inputs": "今天天气很好"}, tei_several={"inputs": ["今天天气很好", "下雨了"]}
    )

    inputs: Texts
    normalize: bool = Field(True, description="Whether vectors are brought to unit length")
    dimensions: Whole | None = Field(None, description="The model's own number; any other is refused")


class TEIVectors(RootModel[list[list[float]]]):
    """A vector for each text, in request order."""


def embed(body: TEIEmbedRequest, ask: Ask) -> list[list[float]]:
    """TEIVectors. Raises as the engine does, and InvalidInput."""
    with told(as_texts("inputs", body.inputs)):
        results = ask("embedding", as_list(body.inputs), normalize=body.normalize)
    require_whole(body, (result.truncated for result in results), "inputs")
    vectors = np.stack([result.vector for result in results])
    require_dimensions(body.dimensions, vectors.shape[1])
    return as_numbers(vectors)
