"""Similarity: how alike two texts are."""

from structbert_lite.pipelines.inputs import require_at_most, require_readable
from structbert_lite.pipelines.matcher import PairMatcher
from structbert_lite.pipelines.scores import pair_logit, sigmoid
from structbert_lite.results import Level, Similarity
from structbert_lite.runtime.encoder import Encoder
from structbert_lite.runtime.prompt import Prompt

Pair = tuple[str, str]


class SimilarityPipeline:
    """Serves a Siamese model (an encoder with a matcher) or a cross-encoder."""

    def __init__(self, encoder: Encoder, max_items: int) -> None:
        """Raises ModelRefused when the matcher's file cannot be used."""
        self.encoder = encoder
        self._max_items = max_items
        manifest = encoder.manifest
        self._calibration, self._thresholds = manifest.calibration, manifest.thresholds
        self._matcher = PairMatcher.load(encoder.folder, manifest) if manifest.kind == "encoder" else None
        self._prompt = Prompt(manifest.pair_template, encoder.tokenizer) if manifest.pair_template else None

    def predict(self, pairs: list[Pair], deadline: float) -> list[Similarity]:
        """One result for each pair, in order; a pair's score is the same in both orders, to the last bit.

        Raises TooManyItems, and InvalidInput with field `pairs[i][0]` or `pairs[i][1]`.
        """
        require_at_most(self._max_items, len(pairs), "pairs", "pairs")
        for i, pair in enumerate(pairs):
            for j, text in enumerate(pair):
                require_readable(text, f"pairs[{i}][{j}]")
        logits = self._match(pairs, deadline) if self._matcher else self._cross(pairs, deadline)
        return [self._result(pair, *found) for pair, found in zip(pairs, logits, strict=True)]

    def _match(self, pairs: list[Pair], deadline: float) -> list[tuple[float, bool]]:
        """(logit, truncated) of each pair; every text is encoded once, in however many pairs it stands."""
        texts = list(dict.fromkeys(text for pair in pairs for text in pair))
        rows = dict(zip(texts, self.encoder.encode([(text,) for text in texts], deadline), strict=True))
        return [
            (self._matcher.logit(rows[a].values, rows[b].values), rows[a].truncated or rows[b].truncated)
            for a, b in pairs
        ]

    def _cross(self, pairs: list[Pair], deadline: float) -> list[tuple[float, bool]]:
        """(logit, truncated) of each pair: the mean over both orders, since the model reads them differently."""
        orders = list(dict.fromkeys(order for a, b in pairs for order in ((a, b), (b, a))))
        filled = [self._prompt.fill(*order) if self._prompt else (order, False) for order in orders]
        rows = self.encoder.encode([fields for fields, _ in filled], deadline)
        read = {
            order: (pair_logit(row.values), row.truncated or shortened)
            for order, row, (_, shortened) in zip(orders, rows, filled, strict=True)
        }
        found = []
        for a, b in pairs:
            one, other = read[a, b], read[b, a]
            found.append(((one[0] + other[0]) / 2, one[1] or other[1]))
        return found

    def _result(self, pair: Pair, logit: float, truncated: bool) -> Similarity:
        score = sigmoid(self._calibration.scale * logit + self._calibration.bias)
        return Similarity(*pair, score, self._level(score), truncated)

    def _level(self, score: float) -> Level:
        if score >= self._thresholds.high:
            return "high"
        return "low" if score < self._thresholds.low else "medium"
