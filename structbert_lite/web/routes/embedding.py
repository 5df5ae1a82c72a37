"""POST /embed."""

from typing import Annotated, Any

from flask_openapi3 import Tag
from pydantic import BaseModel, RootModel

from structbert_lite.results import answer_embeddings
from structbert_lite.web.compat import tei
from structbert_lite.web.compat.dialect import UnionBody, discriminator, merge_examples
from structbert_lite.web.compat.errors import SHARED_ERRORS
from structbert_lite.web.routing import ApiRequest, Route
from structbert_lite.web.schemas import ModelRequest, Texts, with_examples

TAG = Tag(name="embedding", description="Texts as vectors")


class EmbedRequest(ModelRequest):
    """Several texts; the answer has their order."""

    model_config = with_examples(several={"texts": ["今天天气很好", "外面阳光明媚"]})

    texts: Texts


class EmbedAnswer(BaseModel):
    """A vector of unit length for each text, and whether only the text's beginning was read."""

    embeddings: list[list[float]]
    dimensions: int
    truncated: list[bool]


class EmbedBody(RootModel[Annotated[UnionBody[EmbedRequest, tei.TEIEmbedRequest], discriminator("/embed")]]):
    """Our own body, or that of Text Embeddings Inference."""

    model_config = merge_examples(EmbedRequest, tei.TEIEmbedRequest)


class EmbedAnswers(RootModel[EmbedAnswer | tei.TEIVectors]):
    """Our own answer to our own body, bare vectors to the other."""


def embed(body: EmbedBody, call: ApiRequest) -> Any:
    """A vector of unit length for each text, in request order."""
    given = body.root
    if isinstance(given, tei.TEIEmbedRequest):
        return tei.embed(given, call)
    return answer_embeddings(call.predict("embedding", given.texts, given.model))


ROUTES = (Route("/embed", embed, EmbedBody, TAG, {200: EmbedAnswers, **SHARED_ERRORS}),)
