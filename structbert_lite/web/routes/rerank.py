"""POST /rerank."""

from typing import Annotated, Any

from flask_openapi3 import Tag
from pydantic import BaseModel, Discriminator, Field, RootModel
from pydantic import Tag as Form

from structbert_lite.results import answer_ranking
from structbert_lite.web.compat import cohere, tei
from structbert_lite.web.compat.dialect import UnionBody, discriminator, merge_examples
from structbert_lite.web.compat.errors import SHARED_ERRORS
from structbert_lite.web.routing import ApiRequest, Route
from structbert_lite.web.schemas import JINA, OBJECT, ONE, Count, StrictRequest, Text, with_examples

TAG = Tag(name="rerank", description="Which of these documents answers the query?")


class Document(StrictRequest):
    """A document as an object."""

    text: Text = Field(min_length=1)


class RerankRequest(StrictRequest):
    """A query and documents, each a string or an object with `text`."""

    model_config = with_examples(
        strings={"query": "如何办理退款", "documents": ["退款请在订单页面申请", "我们的门店早上九点开门"], "top_n": 1},
        objects={
            "query": "如何办理退款",
            "documents": [{"text": "退款请在订单页面申请"}, {"text": "我们的门店早上九点开门"}],
            "return_documents": True,
        },
    )

    query: Text = Field(min_length=1)
    documents: list[
        Annotated[
            Annotated[Annotated[Text, Field(min_length=1)], Form(ONE)] | Annotated[Document, Form(OBJECT)],
            Discriminator(lambda document: OBJECT if isinstance(document, dict | Document) else ONE),
        ]
    ] = Field(min_length=1)
    top_n: Count | None = Field(None, description="How many results; all of them by default")
    return_documents: bool = Field(False, description="Whether each result holds its document")


class RankedDocument(BaseModel):
    """`index` is the document's place in the request; `truncated`: not all of it, or not all of the query, was read."""

    index: int
    relevance_score: float = Field(ge=0, le=1)
    document: Document | None = Field(None, description="Where the request asked for it")
    truncated: bool


class RerankAnswer(BaseModel):
    """The most relevant documents, best first; equals keep the request's order."""

    results: list[RankedDocument]


class RerankBody(
    RootModel[
        Annotated[
            UnionBody[RerankRequest, tei.TEIRerankRequest] | Annotated[cohere.JinaRerankRequest, Form(JINA)],
            discriminator("/rerank"),
        ]
    ]
):
    """Our own body, or that of Text Embeddings Inference, or with a `model` that of Jina, Infinity and vLLM."""

    model_config = merge_examples(RerankRequest, tei.TEIRerankRequest, cohere.JinaRerankRequest)


class RerankAnswers(RootModel[RerankAnswer | tei.TEIRanks | cohere.CohereRerankAnswer]):
    """Our own answer to our own body, to the others theirs."""


def rerank(body: RerankBody, call: ApiRequest) -> Any:
    """Documents by how relevant they are to a query. Long documents are read whole, window by window."""
    given = body.root
    if isinstance(given, tei.TEIRerankRequest):
        return tei.rerank(given, call)
    if isinstance(given, cohere.JinaRerankRequest):
        return cohere.rank(given, call, "1")
    texts = [document if isinstance(document, str) else document.text for document in given.documents]
    ranked = call.predict("rerank", texts, query=given.query, top_n=given.top_n)
    return answer_ranking(ranked, texts if given.return_documents else None)


ROUTES = (Route("/rerank", rerank, RerankBody, TAG, {200: RerankAnswers, **SHARED_ERRORS}),)
