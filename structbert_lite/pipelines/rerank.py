"""Reranking: how relevant each document is to a query. Long documents are read whole, window by window."""

from structbert_lite.pipelines.inputs import require_at_most, require_readable
from structbert_lite.pipelines.scores import pair_logit, sigmoid
from structbert_lite.results import Ranked
from structbert_lite.runtime.encoder import Encoder

QUERY_SHARE = 4  # a query has at most one in so many of the model's tokens
OVERLAP = 32  # tokens that two windows share, so that an answer cut by one stands whole in the other
MAX_WINDOWS = 64  # of one document


class RerankPipeline:
    """Serves a cross-encoder with one logit, or with two of which the second says "relevant"."""

    def __init__(self, encoder: Encoder, max_items: int) -> None:
        self.encoder = encoder
        self._max_items = max_items

    def predict(self, documents: list[str], deadline: float, *, query: str, top_n: int | None = None) -> list[Ranked]:
        """The `top_n` most relevant documents (all by default), best first; equals keep the caller's order.

        A document's score is that of its best window. Raises TooManyItems, and InvalidInput with field `query` or
        `documents[i]`.
        """
        require_at_most(self._max_items, len(documents), "documents", "documents")
        require_readable(query, "query")
        for i, document in enumerate(documents):
            require_readable(document, f"documents[{i}]")
        query, query_cut, pieces = self._cut(query, documents)
        inputs = [(query, window) for windows, _ in pieces for window in windows]
        rows = iter(self.encoder.encode(inputs, deadline))
        found = []
        for i, (windows, rest_unread) in enumerate(pieces):
            own = [next(rows) for _ in windows]
            logit = max(pair_logit(row.values) for row in own)
            truncated = query_cut or rest_unread or any(row.truncated for row in own)
            found.append((logit, Ranked(i, sigmoid(logit), truncated)))
        found.sort(key=lambda item: -item[0])
        return [ranked for _, ranked in found[:top_n]]

    def count_tokens(self, documents: list[str], *, query: str) -> int:
        """How many tokens the model reads for `predict`: every window with the query, special ones included."""
        query, _, pieces = self._cut(query, documents)
        return sum(
            map(len, self.encoder.tokenizer.encode([(query, window) for windows, _ in pieces for window in windows]))
        )

    def _cut(self, query: str, documents: list[str]) -> tuple[str, bool, list[tuple[list[str], bool]]]:
        """The query as it is read, whether that is not all of it, and of each document what `Tokenizer.split` gives."""
        tokenizer = self.encoder.tokenizer
        (query,), query_cut = tokenizer.split(query, tokenizer.max_tokens // QUERY_SHARE, 0, 1)
        room = tokenizer.room_beside(query)
        pieces = [tokenizer.split(document, room, min(OVERLAP, room // 4), MAX_WINDOWS) for document in documents]
        return query, query_cut, pieces
