"""TEI's body on /rerank."""

from typing import Any

from pydantic import BaseModel, Field, RootModel

from structbert_lite.web.compat.dialect import tei_body
from structbert_lite.web.compat.fields import Off, TruncationOptions, require_whole, told
from structbert_lite.web.middleware import Ask
from structbert_lite.web.texts import Text, Texts


class TEIRerankRequest(TruncationOptions):
    """A query and texts. Long texts are read whole, window by window."""

    model_config = tei_body(
        "/rerank", tei={"query": "如何办理退款", "texts": ["退款请在订单页面申请", "早上九点开门"], "return_text": True}
    )

    query: Text
    texts: Texts
    raw_scores: Off = Field(False, description="Scores are always between 0 and 1")
    return_text: bool = Field(False, description="Whether each result holds its text")


class TEIRank(BaseModel):
    """`index` is the text's place in the request."""

    index: int
    text: str | None = None
    score: float


class TEIRanks(RootModel[list[TEIRank]]):
    """Every text, best first."""


def rerank(body: TEIRerankRequest, ask: Ask) -> list[dict[str, Any]]:
    """TEIRanks. Raises as the engine does, and InvalidInput."""
    with told(lambda field: field.replace("documents", "texts", 1)):
        ranked = ask("rerank", body.texts, query=body.query)
    require_whole(body, (one.truncated for one in ranked), "texts")
    return [
        {"index": one.index, **({"text": body.texts[one.index]} if body.return_text else {}), "score": one.score}
        for one in ranked
    ]
