"""The recipe of the default reranker: which of these texts answers the query."""

import dataclasses
import itertools
import json
import shutil
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional
from transformers import BertForSequenceClassification

from training.cross_encoder import encode_pairs, logits_of, read_tokenizer, start_cross_encoder
from training.examples import batches
from training.loop import Recipe, fit
from training.retrieval import Search, read_searches
from training.searching import evaluate_reranker
from training.short_searches import GRADES, read_own_searches, read_titles

RECIPE = Recipe(epochs=1, learning_rate=1e-4, dropout=0.0, token_mask=0.0, max_length=192, token_budget=3072)
WINDOW = 128  # characters of a document's window
NEAR, FAR = 2, 0  # windows of other documents beside the right one: much like the query, and any
TITLES = 6000  # of QBQTC
SCORE_WEIGHT = 0.5  # of the score itself beside the order
RIGHT, WRONG = 0.98, 0.02


def run(data: Path, base: Path, out: Path, recipe: Recipe = RECIPE) -> dict[str, dict[str, float]]:
    """Trains, writes the model to `out`, and returns the dev figures. `base` may be another run's reranker."""
    out.mkdir(parents=True, exist_ok=True)
    shutil.copy(base / "tokenizer.json", out / "tokenizer.json")
    tokenizer = read_tokenizer(out)
    found, unrelated = _read(data, recipe.seed)
    groups = [[(s.query, text) for text in (s.positive, *s.negatives)] for s, _ in found]
    rows = encode_pairs(tokenizer, [p for group in groups for p in group] + unrelated, recipe.max_length)
    starts = np.cumsum([0, *map(len, groups)])
    members = [list(range(start, end)) for start, end in itertools.pairwise(starts)]
    targets = np.full(len(rows[0]), WRONG, np.float32)
    targets[starts[:-1]] = [score for _, score in found]
    targets[starts[-1] :] = GRADES["0"]
    singles = list(range(int(starts[-1]), len(rows[0])))
    plans = [_plan(members, singles, list(map(len, rows[0])), recipe, epoch) for epoch in range(recipe.epochs)]

    def loss_of(model: BertForSequenceClassification, batch: list) -> torch.Tensor:
        grouped = isinstance(batch[0], list)
        flat = [i for group in batch for i in group] if grouped else batch
        logits = logits_of(model, rows, flat).squeeze(-1)
        score = functional.binary_cross_entropy_with_logits(logits, torch.from_numpy(targets[flat]))
        order = _order_loss(logits, list(map(len, batch))) if grouped else 0.0
        return order + SCORE_WEIGHT * score

    def report(epoch: int, averaged: BertForSequenceClassification) -> None:
        averaged.save_pretrained(out)

    averaged = fit(start_cross_encoder(base, ["relevance"], recipe.seed), plans, loss_of, recipe, out, report)
    averaged.save_pretrained(out)
    (out / "recipe.json").write_text(json.dumps(dataclasses.asdict(recipe), indent=2), "utf-8")
    return report_on(out, data)


def report_on(run: Path, data: Path) -> dict[str, dict[str, float]]:
    """Dev figures of what lies in `run`; writes figures.json into it."""
    model = BertForSequenceClassification.from_pretrained(run, attn_implementation="eager")
    figures = evaluate_reranker(model, read_tokenizer(run), data, RECIPE.max_length)
    (run / "figures.json").write_text(json.dumps(figures, ensure_ascii=False, indent=2), "utf-8")
    return figures


def _read(data: Path, seed: int) -> tuple[list[tuple[Search, float]], list[tuple[str, str]]]:
    """Searches, each with the score of its right text, and pairs that have nothing to do with each other."""
    long = read_searches(data, WINDOW, NEAR, FAR, seed)
    own, _ = read_own_searches(seed)
    titles, unrelated = read_titles(data, TITLES, seed)
    return [(s, RIGHT) for s in long + 2 * own] + titles, unrelated


def _order_loss(logits: torch.Tensor, sizes: list[int]) -> torch.Tensor:
    """Softmax over the texts of a query, of which the first is right: the mean over queries."""
    first = torch.zeros(1, dtype=torch.long)
    return torch.stack([functional.cross_entropy(part[None], first) for part in logits.split(sizes)]).mean()


def _plan(members: list[list[int]], singles: list[int], lengths: list[int], recipe: Recipe, epoch: int) -> list[list]:
    """Batches of whole groups, and of single pairs, under the budget of padded tokens, in random order."""
    rng = np.random.default_rng([recipe.seed, epoch])
    grouped = batches([len(g) * max(lengths[i] for i in g) for g in members], recipe.token_budget, rng)
    plain = batches([lengths[i] for i in singles], recipe.token_budget, rng)
    plan = [[members[i] for i in batch] for batch in grouped] + [[singles[i] for i in batch] for batch in plain]
    return [plan[i] for i in rng.permutation(len(plan))]
