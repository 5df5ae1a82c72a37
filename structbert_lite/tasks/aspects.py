"""Aspects: which of them a review names, and how it speaks of each.

A text is cut into passages that speak of one thing (passages.py); what a passage speaks of is told by its words, how it
speaks by the sentiment model. An aspect in the caller's own words that do not stand in the text is asked of the
zero-shot model: does the text say that it is good, does it say that it is bad?
"""

from collections.abc import Iterable, Sequence

from structbert_lite.errors import InvalidInput
from structbert_lite.inference.runner import ModelRunner
from structbert_lite.manifest import THREE_WAY
from structbert_lite.request_context import RequestContext
from structbert_lite.results import AspectOpinion, AspectOpinions
from structbert_lite.tasks.aspect_words import DOMAINS, USUAL, WORDS, Domain, known_name, literal
from structbert_lite.tasks.inputs import require_at_most, require_readable
from structbert_lite.tasks.passages import cut
from structbert_lite.tasks.scores import DECIMALS, sigmoid, softmax
from structbert_lite.tasks.sentiment import SentimentPipeline
from structbert_lite.tasks.zero_shot import ZeroShotPipeline

GOOD, BAD = "{}好", "{}差"  # as the default zero-shot model was trained
NAMED = 0.5  # probability of an opinion from which on an aspect is in the answer
BOTH = 0.5  # of the weaker of two opinions, from which on an aspect is spoken of in both ways
Sides = tuple[float, float]  # the probabilities that something is praised, and that it is blamed
NOTHING: Sides = (0.0, 0.0)


class AspectPipeline:
    """Serves the sentiment model and the zero-shot model together."""

    def __init__(self, sentiment: SentimentPipeline, zero_shot: ZeroShotPipeline, max_items: int) -> None:
        self.runner: ModelRunner = sentiment.runner
        self._zero_shot = zero_shot.runner
        self._max_items = max_items

    def predict(
        self,
        texts: list[str],
        context: RequestContext,
        *,
        aspects: Sequence[str] | None = None,
        domain: Domain | None = None,
    ) -> list[AspectOpinions]:
        """One result for each text, in order, with those of the aspects that it names, in the order of `aspects`.

        Without `aspects` they are those of the `domain`, without that the USUAL ones. Raises TooManyItems, and
        InvalidInput with field `texts[i]`, `aspects`, `aspects[i]` or `domain`.
        """
        asked = _choose(aspects, domain)
        require_at_most(self._max_items, len(texts) * len(asked), "texts times aspects", "texts")
        for i, text in enumerate(texts):
            require_readable(text, f"texts[{i}]")
        tokenizer = self.runner.tokenizer
        read = [tokenizer.split(text, tokenizer.max_tokens - 2, 0, 1) for text in texts]
        own = [aspect for aspect in asked if known_name(aspect) is None]
        words = WORDS | {aspect: literal(aspect) for aspect in own}
        passages = [cut(beginnings[0], words) for beginnings, _ in read]
        by_passage = self._judge(list(dict.fromkeys(p.text for cuts in passages for p in cuts if p.aspects)), context)
        unnamed = [
            (text, aspect)
            for text, cuts in zip(texts, passages, strict=True)
            for aspect in own
            if not any(aspect in p.aspects for p in cuts)
        ]
        by_pair = self._ask(unnamed, context)
        results = []
        for text, cuts, (_, truncated) in zip(texts, passages, read, strict=True):
            found = []
            for aspect in asked:
                name = known_name(aspect) or aspect
                sides = [by_passage[p.text] for p in cuts if name in p.aspects] or [
                    by_pair.get((text, aspect), NOTHING)
                ]
                if opinion := decide(aspect, sides):
                    found.append(opinion)
            results.append(AspectOpinions(text, tuple(found), truncated))
        return results

    def _judge(self, passages: list[str], context: RequestContext) -> dict[str, Sides]:
        """How the sentiment model takes each passage."""
        labels = self.runner.manifest.labels
        good, bad = labels.index(THREE_WAY[2]), labels.index(THREE_WAY[0])
        rows = self.runner.run([(passage,) for passage in passages], context)
        shares = [softmax(row.values) for row in rows]
        return {p: (share[good], share[bad]) for p, share in zip(passages, shares, strict=True)}

    def _ask(self, pairs: list[tuple[str, str]], context: RequestContext) -> dict[tuple[str, str], Sides]:
        """How the zero-shot model takes each pair of a text and an aspect."""
        labels = self._zero_shot.manifest.labels
        yes, no = labels.index("entailment"), labels.index("contradiction")
        asked = [(text, form.replace("{}", aspect)) for text, aspect in pairs for form in (GOOD, BAD)]
        rows = self._zero_shot.run(asked, context)
        odds = [sigmoid(float(row.values[yes] - row.values[no])) for row in rows]
        return dict(zip(pairs, zip(odds[::2], odds[1::2], strict=True), strict=True))


def decide(aspect: str, sides: Iterable[Sides]) -> AspectOpinion | None:
    """The opinion that its passages have of an aspect; None where they have none.

    That it is praised somewhere and that it is blamed somewhere are taken for independent.
    """
    good, bad = (max(chances) for chances in zip(*sides, strict=True))
    if 1 - (1 - good) * (1 - bad) < NAMED:
        return None
    if min(good, bad) >= BOTH:
        return AspectOpinion(aspect, "mixed", round(good * bad, DECIMALS))
    if good >= bad:
        return AspectOpinion(aspect, "positive", round(good * (1 - bad), DECIMALS))
    return AspectOpinion(aspect, "negative", round(bad * (1 - good), DECIMALS))


def _choose(aspects: Sequence[str] | None, domain: Domain | None) -> Sequence[str]:
    if aspects is None:
        return DOMAINS[domain] if domain else USUAL
    if domain is not None:
        raise InvalidInput("give aspects or a domain, not both", "domain")
    if not aspects:
        raise InvalidInput("there are no aspects", "aspects")
    seen = set()
    for i, aspect in enumerate(aspects):
        require_readable(aspect, f"aspects[{i}]")
        if aspect in seen:
            raise InvalidInput("the aspect occurs twice", f"aspects[{i}]")
        seen.add(aspect)
    return aspects
