"""Reranking: how relevant each document is to a query. Long documents are read whole, window by window."""

from structbert_lite.inference.runner import ModelRunner
from structbert_lite.request_context import RequestContext
from structbert_lite.results import Ranked
from structbert_lite.tasks.inputs import require_at_most, require_pairs, require_readable, without_decoration
from structbert_lite.tasks.lexical import WordOverlap
from structbert_lite.tasks.scores import pair_logit, sigmoid

Pair = tuple[str, str]

QUERY_SHARE = 4  # a query has at most one in so many of the model's tokens
OVERLAP = 32  # tokens that two windows share, so that an answer cut by one stands whole in the other
MAX_WINDOWS = 64  # of one document


class RerankPipeline:
    """Serves a cross-encoder with one logit, or with two of which the second says "relevant"."""

    def __init__(self, runner: ModelRunner, max_items: int) -> None:
        """Raises InvalidModel when the table of term weights that the manifest names cannot be used."""
        self.runner = runner
        self._max_items = max_items
        facts = runner.manifest.lexical
        self._words = WordOverlap.load(runner.folder, facts, runner.tokenizer.fold) if facts else None

    def predict(
        self, documents: list[str], context: RequestContext, *, query: str, top_n: int | None = None
    ) -> list[Ranked]:
        """The `top_n` most relevant documents (all by default), best first; equals keep the caller's order.

        A document's score is that of its best window. Raises TooManyItems, and InvalidInput with field `query` or
        `documents[i]`.
        """
        require_at_most(self._max_items, len(documents), "documents", "documents")
        require_readable(query, "query", self.runner.tokenizer)
        for i, document in enumerate(documents):
            require_readable(document, f"documents[{i}]", self.runner.tokenizer)
        read = self._read([(query, document) for document in documents], context)
        found = [(logit, Ranked(i, sigmoid(logit), truncated)) for i, (logit, truncated) in enumerate(read)]
        found.sort(key=lambda item: -item[0])
        return [ranked for _, ranked in found[:top_n]]

    def score(self, pairs: list[Pair], context: RequestContext) -> list[Ranked]:
        """How relevant the document of each pair (query, document) is to its query, in the pairs' order.

        Raises TooManyItems, and InvalidInput with field `pairs[i][0]` or `pairs[i][1]`.
        """
        require_pairs(self._max_items, pairs, self.runner.tokenizer)
        return [Ranked(i, sigmoid(z), truncated) for i, (z, truncated) in enumerate(self._read(pairs, context))]

    def count_tokens(self, documents: list[str], *, query: str) -> int:
        """How many tokens the model reads for `predict`: every window with the query, special ones included."""
        inputs, _ = self._cut([(query, document) for document in documents])
        return sum(map(len, self.runner.tokenizer.encode(inputs)))

    def _read(self, pairs: list[Pair], context: RequestContext) -> list[tuple[float, bool]]:
        """(logit, truncated) of each pair (query, document): the logit of the document's best window.

        Where the model has a table of term weights, it is fused with the words that the two have in common.
        """
        inputs, pieces = self._cut(pairs)
        rows = iter(self.runner.run(inputs, context))
        found = []
        for (query, document), (windows, unread) in zip(pairs, pieces, strict=True):
            own = [next(rows) for _ in range(windows)]
            logit = max(pair_logit(row.values) for row in own)
            if self._words:
                logit = self._words.fuse(logit, query, document)
            found.append((logit, unread or any(row.truncated for row in own)))
        return found

    def _cut(self, pairs: list[Pair]) -> tuple[list[Pair], list[tuple[int, bool]]]:
        """What the model reads; of each pair how many windows that is, and whether something is left unread."""
        tokenizer = self.runner.tokenizer
        if self._words:  # a model of ours; others' checkpoints read every mark, as they were trained to
            pairs = [(without_decoration(query), without_decoration(document)) for query, document in pairs]
        queries = {}
        for query in dict.fromkeys(query for query, _ in pairs):
            (beginning,), query_cut = tokenizer.split(query, tokenizer.max_tokens // QUERY_SHARE, 0, 1)
            queries[query] = beginning, query_cut, tokenizer.room_beside(beginning)
        inputs, pieces = [], []
        for query, document in pairs:
            beginning, query_cut, room = queries[query]
            windows, rest_unread = tokenizer.split(document, room, min(OVERLAP, room // 4), MAX_WINDOWS)
            inputs += [(beginning, window) for window in windows]
            pieces.append((len(windows), query_cut or rest_unread))
        return inputs, pieces
