"""TEI's body on /similarity, and Hugging Face's sentence similarity."""

from pydantic import RootModel

from structbert_lite.web.compat.dialect import LenientRequest, tei_body
from structbert_lite.web.compat.fields import TruncationOptions, require_whole, told
from structbert_lite.web.middleware import Ask
from structbert_lite.web.texts import Text, Texts


class TEISentences(LenientRequest):
    """A sentence, and those that it is compared with."""

    source_sentence: Text
    sentences: Texts


class TEISimilarityRequest(LenientRequest):
    """One sentence against several."""

    model_config = tei_body(
        "/similarity", tei={"inputs": {"source_sentence": "怎么退款", "sentences": ["如何申请退款", "怎么修改地址"]}}
    )

    inputs: TEISentences
    parameters: TruncationOptions | None = None


class TEIScores(RootModel[list[float]]):
    """The score of each sentence, in request order."""


def similarity(body: TEISimilarityRequest, ask: Ask) -> list[float]:
    """TEIScores: our own /similarity's. Raises as the engine does, and InvalidInput."""
    with told(_as_sentences):
        results = ask("similarity", [(body.inputs.source_sentence, other) for other in body.inputs.sentences])
    require_whole(body.parameters, (result.truncated for result in results), "inputs")
    return [result.score for result in results]


def _as_sentences(field: str) -> str:
    """`pairs[3][1]` is `inputs.sentences[3]`; the first of every pair is the source."""
    if not field.startswith("pairs"):  # a header's name
        return field
    if field.endswith("[0]"):
        return "inputs.source_sentence"
    return "inputs.sentences" + field.removeprefix("pairs").removesuffix("[1]")
