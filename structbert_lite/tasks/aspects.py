"""Aspects: which of them a review names, and how it speaks of each.

A text is cut into passages that speak of one thing (passages.py); what a passage speaks of is told by its words, how it
speaks by the sentiment model. An aspect in the caller's own words that do not stand in the text is asked of the
zero-shot model: does the text say that it is good, does it say that it is bad?
"""

from collections.abc import Sequence

from structbert_lite.errors import InvalidInput, TaskNotAvailable
from structbert_lite.inference.runner import ModelRunner
from structbert_lite.inference.tokenizer import Tokenizer
from structbert_lite.manifest import OPINIONS
from structbert_lite.request_context import RequestContext
from structbert_lite.results import AspectOpinion, AspectOpinions
from structbert_lite.tasks.aspect_words import DOMAINS, SO_SO, USUAL, Domain, known_name, known_words, literal
from structbert_lite.tasks.inputs import require_at_most, require_readable
from structbert_lite.tasks.passages import cut
from structbert_lite.tasks.scores import DECIMALS, softmax
from structbert_lite.tasks.sentiment import SentimentPipeline
from structbert_lite.tasks.zero_shot import ZeroShotPipeline

GOOD, BAD = "{}好", "{}差"  # as the default zero-shot model was trained
# Chosen on the rows of evaluate/data/aspects/dev.tsv. Probabilities of an opinion, from which on an aspect that is
# named is in the answer; of the weaker of two opinions, from which on they are mixed; of both, where something is
# so-so; and of a hypothesis, from which on an aspect whose words do not stand in the text is in the answer.
NAMED, BOTH, NEITHER, ENTAILED = 0.2, 0.5, 0.6, 0.5
Sides = tuple[float, float]  # the probabilities that something is praised, and that it is blamed


class AspectPipeline:
    """Serves the sentiment model and the zero-shot model together."""

    def __init__(self, sentiment: SentimentPipeline, zero_shot: ZeroShotPipeline) -> None:
        self.runner: ModelRunner = sentiment.runner
        self._zero_shot = zero_shot.runner
        self._max_items = sentiment.max_items

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
        InvalidInput with field `texts[i]`, `aspects`, `aspects[i]` or `domain`; TaskNotAvailable where the sentiment
        model has other labels than the two opinions.
        """
        labels = self.runner.manifest.labels
        if not set(OPINIONS) <= set(labels):
            wanted, there = " and ".join(OPINIONS), ", ".join(labels)
            raise TaskNotAvailable("aspects", f"aspects need a sentiment model with the labels {wanted}, not {there}")
        tokenizer = self.runner.tokenizer
        asked = _choose(aspects, domain, tokenizer)
        require_at_most(self._max_items, len(texts) * len(asked), "texts times aspects", "texts")
        for i, text in enumerate(texts):
            require_readable(text, f"texts[{i}]", tokenizer)
        read = [tokenizer.split(text, tokenizer.max_tokens - 2, 0, 1) for text in texts]
        # As the model reads them: an aspect with a blank before it, or in traditional characters, is the same one.
        folded = {aspect: tokenizer.fold(aspect).strip() for aspect in asked}
        known = {aspect: known_name("".join(name.split())) or aspect for aspect, name in folded.items()}
        own = [aspect for aspect, name in known.items() if name not in known_words()]
        words = {**known_words(), **{aspect: literal(folded[aspect]) for aspect in own}}
        passages = [cut(tokenizer.fold(pieces[0]), words) for pieces, _ in read]
        for cuts, (_, truncated) in zip(passages, read, strict=True):
            if truncated and len(cuts) > 1:
                cuts.pop()  # it is not whole, and half of it may say the contrary
        relevant = frozenset(known.values())
        judged = self._judge(
            list(dict.fromkeys(p.text for cuts in passages for p in cuts if p.aspects & relevant)), context
        )
        found: list[dict[str, list[Sides]]] = [{} for _ in texts]
        for sides, cuts in zip(found, passages, strict=True):
            for passage in cuts:
                for name in passage.aspects & relevant:
                    sides.setdefault(name, []).append(judged[passage.text])
        unnamed = [(text, a, sides) for text, sides in zip(texts, found, strict=True) for a in own if a not in sides]
        cut_short = self._ask(unnamed, context)
        results = []
        for text, sides, (_, truncated) in zip(texts, found, read, strict=True):
            opinions = (decide(aspect, sides.get(known[aspect])) for aspect in asked)
            results.append(AspectOpinions(text, tuple(filter(None, opinions)), truncated or text in cut_short))
        return results

    def _judge(self, passages: list[str], context: RequestContext) -> dict[str, Sides]:
        """How the sentiment model takes each passage."""
        labels = self.runner.manifest.labels
        bad, good = map(labels.index, OPINIONS)
        rows = self.runner.run([(passage,) for passage in passages], context)
        shares = [softmax(row.values) for row in rows]
        return {
            passage: (NEITHER, NEITHER) if SO_SO.search(passage) else (share[good], share[bad])
            for passage, share in zip(passages, shares, strict=True)
        }

    def _ask(self, unnamed: list[tuple[str, str, dict[str, list[Sides]]]], context: RequestContext) -> set[str]:
        """Asks the zero-shot model about a text and an aspect, and adds what the text entails to its sides.

        The texts of which it read only the beginning: it has less room, for the aspect stands beside them.
        """
        labels = self._zero_shot.manifest.labels
        yes = labels.index("entailment")
        asked = [(text, form.replace("{}", aspect.strip())) for text, aspect, _ in unnamed for form in (GOOD, BAD)]
        rows = self._zero_shot.run(asked, context, read_once=True)
        entailed = [softmax(row.values)[yes] for row in rows]
        for (_, aspect, sides), good, bad in zip(unnamed, entailed[::2], entailed[1::2], strict=True):
            if max(good, bad) >= ENTAILED:
                sides[aspect] = [(good, bad)]
        return {text for (text, _), row in zip(asked, rows, strict=True) if row.truncated}


def decide(aspect: str, sides: Sequence[Sides] | None) -> AspectOpinion | None:
    """The opinion that passages have of an aspect; None where they have none, or there are none.

    That it is praised somewhere and that it is blamed somewhere are taken for independent.
    """
    if not sides:
        return None
    good, bad = (max(chances) for chances in zip(*sides, strict=True))
    if 1 - (1 - good) * (1 - bad) < NAMED:
        return None
    if min(good, bad) >= BOTH:
        return AspectOpinion(aspect, "mixed", round(good * bad, DECIMALS))
    if good >= bad:
        return AspectOpinion(aspect, "positive", round(good * (1 - bad), DECIMALS))
    return AspectOpinion(aspect, "negative", round(bad * (1 - good), DECIMALS))


def _choose(aspects: Sequence[str] | None, domain: Domain | None, tokenizer: Tokenizer) -> Sequence[str]:
    if aspects is None:
        return DOMAINS[domain] if domain else USUAL
    if domain is not None:
        raise InvalidInput("give aspects or a domain, not both", "domain")
    if not aspects:
        raise InvalidInput("there are no aspects", "aspects")
    seen = set()
    for i, aspect in enumerate(aspects):
        require_readable(aspect, f"aspects[{i}]", tokenizer)
        if aspect in seen:
            raise InvalidInput("the aspect occurs twice", f"aspects[{i}]")
        seen.add(aspect)
    return aspects
