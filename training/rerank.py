"""The recipe of the default reranker: which of these texts answers the query."""

import itertools
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional
from transformers import BertForSequenceClassification

from training.augment import change
from training.cross_encoder import encode_pairs, logits_of, predict_pairs, read_tokenizer, start_cross_encoder
from training.examples import batches
from training.loop import Recipe, finish, fit, record
from training.own import Search, searches
from training.retrieval import read_searches
from training.searching import evaluate_reranker

RECIPE = Recipe(
    epochs=4,
    learning_rate=2e-4,
    layer_decay=0.95,
    dropout=0.0,
    token_mask=0.0,
    max_length=256,
    token_budget=2048,
    seed=29,
)
WINDOWS = (60, 200)  # characters of a document's window: a sentence or two, and a paragraph
NEAR, FAR = 2, 1  # windows of other documents beside the right one: much like the query, and any
PUBLIC = 1200  # of the public searches in an epoch
OWN_TIMES = 1  # that an own search is read in an epoch, each time a little changed
SCORE_WEIGHT = 0.5  # of the score itself beside the order
RIGHT, WRONG = 0.97, 0.03


def run(
    data: Path, base: Path, out: Path, recipe: Recipe = RECIPE, newest: Sequence[str] = (), share: float = 1.0
) -> dict[str, float]:
    """Trains, writes the model to `out`, and returns the dev figures. `base` may be another run's cross-encoder.

    Of rows whose subject is not among `newest` only a `share` is read in each epoch, chosen anew.
    """
    out.mkdir(parents=True, exist_ok=True)
    shutil.copy(base / "tokenizer.json", out / "tokenizer.json")
    tokenizer = read_tokenizer(out)
    kept, held = searches()
    public = [s for window in WINDOWS for s in read_searches(data, window, NEAR, FAR, recipe.seed)]
    epochs, plans = [], []
    for epoch in range(recipe.epochs):
        rng = np.random.default_rng([recipe.seed, epoch])
        chosen = [public[i] for i in rng.permutation(len(public))[: int(share * PUBLIC)]]
        own = [s for s in kept if s.subject in newest or rng.random() < share]
        groups = [_group(s, kept, rng) for s in own * OWN_TIMES]
        groups += [[(s.query, text) for text in (s.answer, *s.misses)] for s in chosen]
        rows = encode_pairs(tokenizer, [p for group in groups for p in group], recipe.max_length)
        starts = np.cumsum([0, *map(len, groups)])
        members = [list(range(start, end)) for start, end in itertools.pairwise(starts)]
        sizes = [len(g) * max(len(rows[0][i]) for i in g) for g in members]
        epochs.append(rows)
        plans.append([(epoch, [members[i] for i in b]) for b in batches(sizes, recipe.token_budget, rng)])

    def loss_of(model: BertForSequenceClassification, batch: tuple[int, list[list[int]]]) -> torch.Tensor:
        flat = [i for group in batch[1] for i in group]
        logits = logits_of(model, epochs[batch[0]], flat).squeeze(-1)
        sizes = list(map(len, batch[1]))
        truth = torch.cat([functional.one_hot(torch.tensor(0), size).float() for size in sizes])
        score = functional.binary_cross_entropy_with_logits(logits, truth * (RIGHT - WRONG) + WRONG)
        return _order_loss(logits, sizes) + SCORE_WEIGHT * score

    def report(epoch: int, averaged: BertForSequenceClassification) -> None:
        averaged.save_pretrained(out)
        record(out, epoch, evaluate(averaged, out, held, data))

    fit(start_cross_encoder(base, ["relevance"], recipe.seed), plans, loss_of, recipe, out, report)
    return finish(out, recipe)


def evaluate(model: BertForSequenceClassification, run: Path, held: list[Search], data: Path) -> dict[str, float]:
    """Own searches held out whose answer comes first of four, and nDCG@10 on CMRC's dev queries."""
    tokenizer = read_tokenizer(run)
    pairs = [(s.query, text) for s in held for text in (s.answer, *s.misses)]
    first = predict_pairs(model, tokenizer, pairs, RECIPE.max_length)[:, 0].reshape(len(held), -1).argmax(1) == 0
    figures = {"own searches, answer first": float(first.mean())}
    for name, found in evaluate_reranker(model, tokenizer, data, RECIPE.max_length).items():
        figures |= {f"{name}, {key}": value for key, value in found.items()}
    return figures


def _group(search: Search, others: list[Search], rng: np.random.Generator) -> list[tuple[str, str]]:
    """The query with its answer, with what does not answer it, and with another query's answer."""
    stranger = others[int(rng.integers(len(others)))]
    texts = [search.answer, *search.misses, *([stranger.answer] if stranger.query != search.query else [])]
    query = change(search.query, rng)
    return [(query, change(text, rng)) for text in texts]


def _order_loss(logits: torch.Tensor, sizes: list[int]) -> torch.Tensor:
    """Softmax over the texts of a query, of which the first is right: the mean over queries."""
    first = torch.zeros(1, dtype=torch.long)
    return torch.stack([functional.cross_entropy(part[None], first) for part in logits.split(sizes)]).mean()
