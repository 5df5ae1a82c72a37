"""Similarity: how alike two texts are."""

from dataclasses import dataclass

from structbert_lite.errors import InvalidModel
from structbert_lite.inference.prompt import Prompt
from structbert_lite.inference.runner import Encoder
from structbert_lite.manifest import MANIFEST_NAME
from structbert_lite.request_context import RequestContext
from structbert_lite.results import Kind, Level, Similarity
from structbert_lite.tasks.inputs import require_at_most, require_readable
from structbert_lite.tasks.matcher import PairMatcher
from structbert_lite.tasks.scores import same_logit, sigmoid

Pair = tuple[str, str]


@dataclass(frozen=True, slots=True)
class _Answer:
    score: float
    truncated: bool
    by: Kind


class SimilarityPipeline:
    """Serves a Siamese model (an encoder with a matcher), perhaps with one to decide, or a cross-encoder."""

    def __init__(self, encoder: Encoder, max_items: int, decider: Encoder | None = None) -> None:
        """`decider`: the cross-encoder that the manifest names. Raises InvalidModel for an unusable matcher."""
        self.encoder = encoder
        self._decider = decider
        self._max_items = max_items
        manifest = encoder.manifest
        if manifest.thresholds is None:
            raise InvalidModel(f"{encoder.folder / MANIFEST_NAME} has no thresholds")
        self._calibration, self._thresholds = manifest.calibration, manifest.thresholds
        self._matcher = PairMatcher.load(encoder.folder, manifest) if manifest.kind == "encoder" else None
        self._prompt = Prompt(manifest.pair_template, encoder.tokenizer) if manifest.pair_template else None

    def predict(self, pairs: list[Pair], context: RequestContext) -> list[Similarity]:
        """One result for each pair, in order; a pair's score is the same in both orders, to the last bit.

        Raises TooManyItems, and InvalidInput with field `pairs[i][0]` or `pairs[i][1]`.
        """
        require_at_most(self._max_items, len(pairs), "pairs", "pairs")
        for i, pair in enumerate(pairs):
            for j, text in enumerate(pair):
                require_readable(text, f"pairs[{i}][{j}]")
        answers = self._match(self._matcher, pairs, context) if self._matcher else self._cross(pairs, context)
        return [
            Similarity(*pair, answer.score, self._level(answer.score), answer.truncated, answer.by)
            for pair, answer in zip(pairs, answers, strict=True)
        ]

    def _match(self, matcher: PairMatcher, pairs: list[Pair], context: RequestContext) -> list[_Answer]:
        """Every text is encoded once, in however many pairs it stands; the decider reads those that look alike."""
        texts = list(dict.fromkeys(text for pair in pairs for text in pair))
        rows = dict(zip(texts, self.encoder.encode([(text,) for text in texts], context), strict=True))
        logits = [matcher.logit(rows[a].values, rows[b].values) for a, b in pairs]
        answers = [
            _Answer(self._calibrated(logit), rows[a].truncated or rows[b].truncated, "encoder")
            for logit, (a, b) in zip(logits, pairs, strict=True)
        ]
        rule = self.encoder.manifest.decider
        if self._decider is None or rule is None:
            return answers
        places = [i for i, answer in enumerate(answers) if answer.score >= rule.asked_from]
        read = _both_orders(self._decider, [pairs[i] for i in places], None, context)
        for i, (z, truncated) in zip(places, read, strict=True):
            score = sigmoid(rule.scale * z + rule.encoder_scale * logits[i] + rule.bias)
            answers[i] = _Answer(score, truncated, "cross-encoder")
        return answers

    def _cross(self, pairs: list[Pair], context: RequestContext) -> list[_Answer]:
        read = _both_orders(self.encoder, pairs, self._prompt, context)
        return [_Answer(self._calibrated(z), truncated, "cross-encoder") for z, truncated in read]

    def _calibrated(self, logit: float) -> float:
        return sigmoid(self._calibration.scale * logit + self._calibration.bias)

    def _level(self, score: float) -> Level:
        if score >= self._thresholds.high:
            return "high"
        return "low" if score < self._thresholds.low else "medium"


def _both_orders(
    encoder: Encoder, pairs: list[Pair], prompt: Prompt | None, context: RequestContext
) -> list[tuple[float, bool]]:
    """(logit of "the same", truncated) of each pair: the mean over both orders, which it reads differently."""
    orders = list(dict.fromkeys(order for a, b in pairs for order in ((a, b), (b, a))))
    filled = [prompt.fill(*order) if prompt else (order, False) for order in orders]
    rows = encoder.encode([fields for fields, _ in filled], context) if filled else []
    labels = encoder.manifest.labels
    read = {
        order: (same_logit(row.values, labels), row.truncated or shortened)
        for order, row, (_, shortened) in zip(orders, rows, filled, strict=True)
    }
    found = []
    for a, b in pairs:
        one, other = read[a, b], read[b, a]
        found.append(((one[0] + other[0]) / 2, one[1] or other[1]))
    return found
