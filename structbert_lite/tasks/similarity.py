"""Similarity: how alike two texts are."""

from dataclasses import dataclass

from structbert_lite.errors import InvalidModel
from structbert_lite.inference.prompt import Prompt
from structbert_lite.inference.runner import ModelRunner
from structbert_lite.manifest import MANIFEST_NAME
from structbert_lite.request_context import RequestContext
from structbert_lite.results import Kind, Level, Similarity
from structbert_lite.tasks.inputs import require_pairs
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

    def __init__(self, runner: ModelRunner, max_items: int, decider: ModelRunner | None = None) -> None:
        """`decider`: the cross-encoder that the manifest names. Raises InvalidModel for an unusable matcher."""
        self.runner = runner
        self._decider = decider
        self._max_items = max_items
        manifest = runner.manifest
        if manifest.thresholds is None:
            raise InvalidModel(f"{runner.folder / MANIFEST_NAME} has no thresholds")
        self._calibration, self._thresholds = manifest.calibration, manifest.thresholds
        self._matcher = PairMatcher.load(runner.folder, manifest) if manifest.kind == "encoder" else None
        self._prompt = Prompt(manifest.pair_template, runner.tokenizer) if manifest.pair_template else None

    def predict(self, pairs: list[Pair], context: RequestContext) -> list[Similarity]:
        """One result for each pair, in order; a pair's score is the same in both orders, to the last bit.

        Raises TooManyItems, and InvalidInput with field `pairs[i][0]` or `pairs[i][1]`.
        """
        require_pairs(self._max_items, pairs, self.runner.tokenizer)
        return [
            Similarity(*pair, answer.score, self._level(answer.score), answer.truncated, answer.by)
            for pair, answer in zip(pairs, self._answer(pairs, context), strict=True)
        ]

    def logits(self, pairs: list[Pair], context: RequestContext) -> list[tuple[float, bool]]:
        """(logit, truncated) of each pair as the model itself gives it: before calibration, and no decider is asked.

        A Siamese model reads every text once, in however many pairs it stands; a cross-encoder every pair twice.
        """
        if self._matcher is None:
            return _both_orders(self.runner, pairs, self._prompt, context)
        texts = list(dict.fromkeys(text for pair in pairs for text in pair))
        rows = dict(zip(texts, self.runner.run([(text,) for text in texts], context), strict=True))
        logit = self._matcher.logit
        return [(logit(rows[a].values, rows[b].values), rows[a].truncated or rows[b].truncated) for a, b in pairs]

    def _answer(self, pairs: list[Pair], context: RequestContext) -> list[_Answer]:
        """The decider, where there is one, reads the pairs that look alike."""
        own = self.logits(pairs, context)
        kind: Kind = "encoder" if self._matcher else "cross-encoder"
        answers = [_Answer(self._calibrated(z), truncated, kind) for z, truncated in own]
        rule = self.runner.manifest.decider
        if self._decider is None or rule is None:
            return answers
        places = [i for i, answer in enumerate(answers) if answer.score >= rule.asked_from]
        read = _both_orders(self._decider, [pairs[i] for i in places], None, context)
        for i, (z, truncated) in zip(places, read, strict=True):
            score = sigmoid(rule.scale * z + rule.encoder_scale * own[i][0] + rule.bias)
            answers[i] = _Answer(score, truncated, "cross-encoder")
        return answers

    def _calibrated(self, logit: float) -> float:
        return sigmoid(self._calibration.scale * logit + self._calibration.bias)

    def _level(self, score: float) -> Level:
        if score >= self._thresholds.high:
            return "high"
        return "low" if score < self._thresholds.low else "medium"


def _both_orders(
    runner: ModelRunner, pairs: list[Pair], prompt: Prompt | None, context: RequestContext
) -> list[tuple[float, bool]]:
    """(logit of "the same", truncated) of each pair: the mean over both orders, which it reads differently."""
    orders = list(dict.fromkeys(order for a, b in pairs for order in ((a, b), (b, a))))
    filled = [prompt.fill(*order) if prompt else (order, False) for order in orders]
    rows = runner.run([fields for fields, _ in filled], context) if filled else []
    labels = runner.manifest.labels
    read = {
        order: (same_logit(row.values, labels), row.truncated or shortened)
        for order, row, (_, shortened) in zip(orders, rows, filled, strict=True)
    }
    found = []
    for a, b in pairs:
        one, other = read[a, b], read[b, a]
        found.append(((one[0] + other[0]) / 2, one[1] or other[1]))
    return found
