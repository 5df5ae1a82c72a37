"""The zero-shot model goes on, under the mask of prefix.py, to tell how a text speaks of an aspect.

An aspect that is praised entails GOOD and contradicts BAD, one that is blamed the other way, one with both entails
both; of an aspect that the text does not name, or names without an opinion, neither is said. The rest of what the model
has learnt is read on in part, as read_once.py reads it, so that it is not unlearnt.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer
from transformers import BertForSequenceClassification

from structbert_lite.tasks.aspect_words import known_name, known_words
from training import read_once
from training.augment import change
from training.diaasq import read_aspects
from training.loop import Recipe
from training.own import Opinion, opinions
from training.prefix import encode_group, predict_groups
from training.zero_shot import BAD, GOOD

PASS = replace(read_once.PASS, epochs=3, seed=29)
TEXTS, POSTS = 7000, 2500  # of an epoch
REPLAYED, PAIRS = 0.3, 0.3  # shares of what read_once.py reads: of its texts, and of its pairs under the full mask
SERVED = 0.6  # share of texts that are asked in the words that the server uses, the first of GOOD and BAD
MOST, OTHERS = 3, 2  # aspects of a text that are asked about, and others that it has no opinion of
LONGEST = 140  # characters
ENTAILED, NEUTRAL, CONTRADICTED = range(3)
RELATIONS = {
    "+": (ENTAILED, CONTRADICTED),
    "-": (CONTRADICTED, ENTAILED),
    "~": (ENTAILED, ENTAILED),
    "": (NEUTRAL, NEUTRAL),
}
MARKS = {frozenset({"pos"}): "+", frozenset({"neg"}): "-"}
DEV = 300  # texts of each set, for the look after the epoch


@dataclass(frozen=True, slots=True)
class Review:
    """A text, the marks of the aspects that it has an opinion of, and aspects that it has none of."""

    text: str
    named: dict[str, str]
    others: tuple[str, ...]


def run(data: Path, base: Path, teacher: Path, out: Path) -> dict[str, float]:
    """As `read_once.run`; `data` has aspect/diaasq."""
    trained, held = opinions()
    posts, dev = (read_posts(data / f"aspect/diaasq/{part}.tsv") for part in ("train", "dev"))

    def draw(tokenizer: Tokenizer, recipe: Recipe, epoch: int) -> read_once.Pass:
        rng = np.random.default_rng([recipe.seed, epoch, 9])
        reviews = _some(read_reviews(trained, rng), TEXTS, rng) + _some(posts, POSTS, rng)
        groups = [make_group(review, rng) for review in reviews]
        packed = [encode_group(tokenizer, group.text, group.said, recipe.max_length) for group in groups]
        replayed = read_once.draw_texts(tokenizer, recipe, epoch, REPLAYED, PAIRS)
        return replace(replayed, groups=replayed.groups + groups, packed=replayed.packed + packed)

    def report(model: BertForSequenceClassification, tokenizer: Tokenizer) -> dict[str, float]:
        rng = np.random.default_rng(0)
        sets = {"aspects, own": read_reviews(held, rng), "aspects, DiaASQ dev": dev}
        return {
            f"{name}, {figure}": value
            for name, reviews in sets.items()
            for figure, value in evaluate(model, tokenizer, _some(reviews, DEV, rng)).items()
        }

    return read_once.run(base, teacher, out, PASS, draw, report)


def read_reviews(rows: Sequence[Opinion], rng: np.random.Generator) -> list[Review]:
    """Own texts with aspects, and texts without any opinion; the others are drawn among those of the text's file."""
    asked: dict[str, list[str]] = {}
    for row in rows:
        asked.setdefault(row.subject, []).extend(aspect[:-1] for aspect in row.aspects)
    reviews = []
    for row in rows:
        if not row.aspects and (row.label != "neutral" or not asked[row.subject]):
            continue
        named = {aspect[:-1]: aspect[-1] for aspect in row.aspects}
        drawn = [asked[row.subject][i] for i in rng.integers(len(asked[row.subject]), size=8)]
        # What an opinion is of is not always written down: an aspect whose words stand in the text may have one,
        # but for a text without any, of which those are the ones to learn from.
        others = [a for a in dict.fromkeys(drawn) if a not in named and (not named or not _stands(a, row.text))]
        reviews.append(Review(row.text, named, tuple(others)))
    return reviews


def read_posts(path: Path) -> list[Review]:
    """DiaASQ's posts (MIT): of several phones, of which one may be praised for what another is blamed for."""
    by_text = read_aspects(path)
    every = sorted({aspect for aspects in by_text.values() for aspect in aspects})
    rng = np.random.default_rng(1)
    reviews = []
    for text, aspects in by_text.items():
        told = {aspect: frozenset(found - {"neu", "doubt"}) for aspect, found in aspects.items()}
        named = {aspect: MARKS.get(found, "~") for aspect, found in told.items() if found}
        absent = [every[i] for i in rng.integers(len(every), size=4) if not _stands(every[i], text)]
        reviews.append(Review(text, named, tuple(dict.fromkeys([a for a in told if a not in named] + absent))))
    return reviews


def make_group(review: Review, rng: np.random.Generator) -> read_once.Group:
    """What is asked about a text: both sides of each aspect, in one form."""
    form = 0 if rng.random() < SERVED else int(rng.integers(len(GOOD)))
    named = list(review.named)
    asked = [named[i] for i in rng.permutation(len(named))[:MOST]] + list(review.others[:OTHERS])
    asked = [asked[i] for i in rng.permutation(len(asked))]
    said = tuple(forms[form].format(aspect) for aspect in asked for forms in (GOOD, BAD))
    relations = tuple(relation for aspect in asked for relation in RELATIONS[review.named.get(aspect, "")])
    return read_once.Group(change(review.text[:LONGEST], rng), said, relations, taught=False)


def evaluate(model: BertForSequenceClassification, tokenizer: Tokenizer, reviews: Sequence[Review]) -> dict[str, float]:
    """Shares right of the better side of one-sided aspects, of both sides said, and the F1 of naming."""
    groups, marks = [], []
    for review in reviews:
        aspects = [*review.named, *review.others[:OTHERS]]
        if aspects:
            groups.append((review.text, [form.format(a) for a in aspects for form in (GOOD[0], BAD[0])]))
            marks += [review.named.get(aspect, "") for aspect in aspects]
    logits = predict_groups(model, tokenizer, groups, PASS.max_length).reshape(len(marks), 2, 3)
    odds = np.exp(logits - logits.max(-1, keepdims=True))
    said = odds[..., ENTAILED] / odds.sum(-1)
    sided = np.array([mark in {"+", "-"} for mark in marks])
    praised = np.array([mark == "+" for mark in marks])
    named = np.array([mark != "" for mark in marks])
    found = said.max(-1) >= 0.5
    right = (said[:, 0] > said[:, 1]) == praised
    both = said.min(-1) >= 0.5
    mixed = np.array([mark == "~" for mark in marks])
    return {
        "polarity": float(right[sided].mean()),
        "F1 named": float(2 * (found & named).sum() / (found.sum() + named.sum())),
        "F1 mixed": float(2 * (both & mixed).sum() / max(1, both.sum() + mixed.sum())),
    }


def _some(reviews: Sequence[Review], count: int, rng: np.random.Generator) -> list[Review]:
    asked = [review for review in reviews if review.named or review.others]
    return [asked[i] for i in rng.permutation(len(asked))[:count]]


def _stands(aspect: str, text: str) -> bool:
    name = known_name(aspect)
    return aspect in text or (name is not None and known_words()[name].all.search(text) is not None)
