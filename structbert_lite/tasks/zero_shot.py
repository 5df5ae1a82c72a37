"""Zero-shot classification: which of the caller's own labels fits a text, by entailment."""

from collections.abc import Sequence

from structbert_lite.cache.memory import ModelOutput
from structbert_lite.errors import InvalidInput
from structbert_lite.inference.runner import ModelRunner
from structbert_lite.inference.tokenizer import Tokenizer
from structbert_lite.manifest import Calibration
from structbert_lite.request_context import RequestContext
from structbert_lite.results import ZeroShot
from structbert_lite.tasks.inputs import require_at_most, require_readable
from structbert_lite.tasks.scores import sigmoid, softmax

PLACE = "{}"  # where a label goes in the hypothesis


class ZeroShotPipeline:
    """Serves a cross-encoder that tells whether a text entails a hypothesis."""

    def __init__(self, runner: ModelRunner, max_items: int) -> None:
        self.runner = runner
        self._max_items = max_items
        labels = runner.manifest.labels
        self._entailment, self._contradiction = labels.index("entailment"), labels.index("contradiction")
        self._none = runner.manifest.none or Calibration()

    def predict(
        self,
        texts: list[str],
        context: RequestContext,
        *,
        labels: Sequence[str],
        multi_label: bool = False,
        hypothesis_template: str = PLACE,
        none: bool = False,
    ) -> list[ZeroShot]:
        """One result for each text, in order; labels of one score keep the caller's order.

        With `multi_label`, or with one label, each score is the probability of entailment against contradiction;
        otherwise the scores are the softmax of the labels' entailment logits and sum to 1. With `none` there is also
        the probability that no label fits: how far the best one's entailment is below contradiction, calibrated.
        Raises TooManyItems, and InvalidInput with field `texts[i]`, `labels`, `labels[i]` or `hypothesis_template`.
        """
        _check(labels, hypothesis_template, self.runner.tokenizer)
        require_at_most(self._max_items, len(texts) * len(labels), "texts times labels", "labels")
        for i, text in enumerate(texts):
            require_readable(text, f"texts[{i}]", self.runner.tokenizer)
        # Not str.format: other braces in the template are the caller's own.
        hypotheses = [hypothesis_template.replace(PLACE, label) for label in labels]
        asked = [(text, said) for text in texts for said in hypotheses]
        rows = iter(self.runner.run(asked, context, read_once=True))
        apart = multi_label or len(labels) == 1
        return [self._result(text, labels, [next(rows) for _ in labels], apart, none) for text in texts]

    def _result(self, text: str, labels: Sequence[str], rows: list[ModelOutput], apart: bool, none: bool) -> ZeroShot:
        entailed = [float(row.values[self._entailment]) for row in rows]
        fits = [z - float(row.values[self._contradiction]) for z, row in zip(entailed, rows, strict=True)]
        logits = fits if apart else entailed
        scores = [sigmoid(z) for z in logits] if apart else softmax(logits)
        order = sorted(range(len(labels)), key=lambda i: -logits[i])
        return ZeroShot(
            text,
            tuple(labels[i] for i in order),
            tuple(scores[i] for i in order),
            any(row.truncated for row in rows),
            sigmoid(-(self._none.scale * max(fits) + self._none.bias)) if none else None,
        )


def _check(labels: Sequence[str], template: str, tokenizer: Tokenizer) -> None:
    if not labels:
        raise InvalidInput("there are no labels", "labels")
    if PLACE not in template:
        raise InvalidInput(f"the template has no {PLACE} for the label", "hypothesis_template")
    seen = set()
    for i, label in enumerate(labels):
        require_readable(label, f"labels[{i}]", tokenizer)
        if label in seen:
            raise InvalidInput("the label occurs twice", f"labels[{i}]")
        seen.add(label)
