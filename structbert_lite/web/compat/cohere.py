"""Cohere, Jina, Xinference, Infinity and vLLM: POST /v1/rerank, /v2/rerank, and /rerank with a `model`."""

from typing import Annotated, Any, Literal

from flask_openapi3 import Tag
from pydantic import BaseModel, ConfigDict, Discriminator, Field
from pydantic import Tag as Form

from structbert_lite.paths import Dialect
from structbert_lite.web.compat.dialect import LenientRequest, Spelled, SpelledBool, examples_of, shared_body
from structbert_lite.web.compat.errors import COHERE_ERRORS, JINA_ERRORS
from structbert_lite.web.routing import ApiRequest, Route
from structbert_lite.web.schemas import OBJECT, ONE, Count, Text, with_examples

TAG = Tag(name="Cohere and Jina", description="For Cohere's clients, with http://HOST:PORT as their base URL")
DOCUMENTS = ["退款请在订单页面申请", "我们的门店早上九点开门"]


class CohereDocument(BaseModel):
    """A document as an object; an answer that holds documents holds all of it."""

    model_config = ConfigDict(extra="allow", strict=True)

    text: Text


class CohereRerankRequest(LenientRequest):
    """A query and documents. Any `model` is taken: the installed one of that name answers, else the default one.

    Documents are read whole, window by window, so `max_tokens_per_doc` and `max_chunks_per_doc` are ignored.
    """

    model_config = with_examples(
        strings={"model": "rerank", "query": "如何办理退款", "documents": DOCUMENTS, "top_n": 1},
        objects={
            "model": "rerank",
            "query": "如何办理退款",
            "documents": [{"text": text} for text in DOCUMENTS],
            "return_documents": True,
        },
    )

    query: Text
    documents: list[
        Annotated[
            Annotated[Text, Form(ONE)] | Annotated[CohereDocument, Form(OBJECT)],
            Discriminator(lambda document: OBJECT if isinstance(document, dict | CohereDocument) else ONE),
        ]
    ] = Field(min_length=1)
    model: str | None = None
    top_n: Annotated[Count, Spelled] | None = Field(None, description="How many results; all of them by default")
    return_documents: SpelledBool | None = Field(
        None, description="Whether each result holds its document; at /v2/rerank they do by default, as vLLM's do"
    )
    rank_fields: list[Literal["text"]] | None = Field(None, description="Only `text` is read")


class JinaRerankRequest(CohereRerankRequest):
    """CohereRerankRequest on a path of ours, where its `model` tells it from our own."""

    model_config = shared_body(
        "/rerank", Dialect.JINA, **{f"model_{name}": body for name, body in examples_of(CohereRerankRequest).items()}
    )

    model: str


class CohereResult(BaseModel):
    """`index` is the document's place in the request."""

    index: int
    relevance_score: float = Field(ge=0, le=1)
    document: CohereDocument | None = Field(None, description="Where the request asked for it")


class CohereUsage(BaseModel):
    """Tokens of every window with the query, as the model reads them, special ones included."""

    prompt_tokens: int
    total_tokens: int


class CohereRerankAnswer(BaseModel):
    """The most relevant documents, best first; equals keep the request's order."""

    id: str
    model: str
    results: list[CohereResult]
    usage: CohereUsage
    meta: dict[str, Any]


def rerank_v1(body: CohereRerankRequest, call: ApiRequest) -> dict[str, Any]:
    """Documents by how relevant they are to a query, with the scores that /rerank gives."""
    return rank(body, call, "1")


def rerank_v2(body: CohereRerankRequest, call: ApiRequest) -> dict[str, Any]:
    """The same as /v1/rerank. Results hold their documents unless that is declined: vLLM's clients read them."""
    if body.return_documents is None:
        body.return_documents = True
    return rank(body, call, "2")


def rank(body: CohereRerankRequest, call: ApiRequest, version: str) -> dict[str, Any]:
    """CohereRerankAnswer. Raises as the engine does."""
    texts = [document if isinstance(document, str) else document.text for document in body.documents]
    model = call.known_model("rerank", body.model)
    ranked = call.predict("rerank", texts, model, query=body.query, top_n=body.top_n)
    tokens = call.engine.count_tokens("rerank", texts, model, query=body.query)
    found: list[dict[str, Any]] = [{"index": one.index, "relevance_score": one.score} for one in ranked]
    if body.return_documents:
        for result in found:
            given = body.documents[result["index"]]
            result["document"] = {"text": given} if isinstance(given, str) else given.model_dump()
    return {
        "id": call.request_id,
        "model": model or call.engine.manifest("rerank").name,
        "results": found,
        "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
        "meta": {
            "api_version": {"version": version, "is_experimental": False},
            "billed_units": {"search_units": 1},
            "tokens": {"input_tokens": tokens, "output_tokens": 0},
        },
    }


ROUTES = (
    Route("/v1/rerank", rerank_v1, CohereRerankRequest, TAG, {200: CohereRerankAnswer, **JINA_ERRORS}),
    Route("/v2/rerank", rerank_v2, CohereRerankRequest, TAG, {200: CohereRerankAnswer, **COHERE_ERRORS}),
)
