"""Elasticsearch's `hugging_face` reranker, whose body is that of our own /rerank and whose answer is not."""

from typing import Any

from flask_openapi3 import Tag
from pydantic import BaseModel, RootModel

from structbert_lite.web.compat.cohere import CohereRerankRequest
from structbert_lite.web.compat.errors import TEI_ERRORS
from structbert_lite.web.routing import ApiRequest, Route

TAG = Tag(name="Elasticsearch", description="For an inference endpoint of the service hugging_face, task rerank")


class ElasticsearchRank(BaseModel):
    """`index` is the document's place in the request. Elasticsearch takes no answer with any other field."""

    index: int
    relevance_score: float
    text: str | None = None


class ElasticsearchRanks(RootModel[list[ElasticsearchRank]]):
    """The most relevant documents, best first."""


def rerank_elasticsearch(body: CohereRerankRequest, call: ApiRequest) -> list[dict[str, Any]]:
    """Documents by how relevant they are to a query, in a bare array."""
    texts = [document if isinstance(document, str) else document.text for document in body.documents]
    return [
        {
            "index": one.index,
            "relevance_score": one.score,
            **({"text": texts[one.index]} if body.return_documents else {}),
        }
        for one in call.predict(
            "rerank", texts, call.known_model("rerank", body.model), query=body.query, top_n=body.top_n
        )
    ]


ROUTES = (
    Route(
        "/elasticsearch/rerank",
        rerank_elasticsearch,
        CohereRerankRequest,
        TAG,
        {200: ElasticsearchRanks, **TEI_ERRORS},
    ),
)
