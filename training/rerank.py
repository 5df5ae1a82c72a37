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
from training.examples import read_tsv
from training.loop import Recipe, fit
from training.retrieval import read_searches
from training.searching import evaluate_reranker

RECIPE = Recipe(epochs=1, learning_rate=1e-4, dropout=0.0, token_mask=0.0, max_length=192, token_budget=3072)
WINDOW, NEGATIVES = 128, 2  # characters of a document's window; windows of other documents beside the right one
WEB_PAIRS = 12_000  # of QBQTC: a query and a page's title, graded 0, 1, 2
GRADES = {"0": 0.02, "1": 0.3, "2": 0.95}
SCORE_WEIGHT = 0.5  # of the score itself beside the order


def run(data: Path, base: Path, out: Path, recipe: Recipe = RECIPE) -> dict[str, dict[str, float]]:
    """Trains, writes the model to `out`, and returns the dev figures."""
    out.mkdir(parents=True, exist_ok=True)
    shutil.copy(base / "tokenizer.json", out / "tokenizer.json")
    tokenizer = read_tokenizer(out)
    searches = read_searches(data, WINDOW, NEGATIVES, recipe.seed)
    searches += [s for s in searches if s.source == "cmrc2018"]  # few, and the plainest of all
    groups = [[(s.query, text) for text in (s.positive, *s.negatives)] for s in searches]
    web = read_web_pairs(data, recipe.seed)
    rows = encode_pairs(tokenizer, [p for group in groups for p in group] + [p for p, _ in web], recipe.max_length)
    starts = np.cumsum([0, *map(len, groups)])
    members = [list(range(start, end)) for start, end in itertools.pairwise(starts)]
    grades = dict(enumerate((grade for _, grade in web), int(starts[-1])))
    plans = [_plan(members, grades, rows[0], recipe, epoch) for epoch in range(recipe.epochs)]

    def loss_of(model: BertForSequenceClassification, batch: list) -> torch.Tensor:
        if isinstance(batch[0], list):
            return _order_loss(model, rows, batch)
        logits = logits_of(model, rows, batch).squeeze(-1)
        return SCORE_WEIGHT * functional.binary_cross_entropy_with_logits(
            logits, torch.tensor([grades[i] for i in batch])
        )

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


def read_web_pairs(data: Path, seed: int) -> list[tuple[tuple[str, str], float]]:
    """((query, title), how relevant) of a random WEB_PAIRS rows of QBQTC."""
    rows = read_tsv(data / "retrieval" / "qbqtc" / "dev_clean.tsv")
    order = np.random.default_rng(seed).permutation(len(rows))[:WEB_PAIRS]
    return [((rows[i]["text_a"], rows[i]["text_b"]), GRADES[rows[i]["label"]]) for i in order]


def _order_loss(model: BertForSequenceClassification, rows: tuple, groups: list[list[int]]) -> torch.Tensor:
    """Softmax over the texts of a query, of which the first is right, and each score by itself."""
    flat = [i for group in groups for i in group]
    logits = logits_of(model, rows, flat).squeeze(-1).split([len(group) for group in groups])
    order = torch.stack([functional.cross_entropy(part[None], torch.zeros(1, dtype=torch.long)) for part in logits])
    truth = torch.cat([functional.one_hot(torch.tensor(0), len(part)).float() for part in logits])
    scores = functional.binary_cross_entropy_with_logits(torch.cat(logits), truth)
    return order.mean() + SCORE_WEIGHT * scores


def _plan(members: list[list[int]], grades: dict[int, float], ids: list, recipe: Recipe, epoch: int) -> list[list]:
    """Batches of whole groups, and batches of web pairs, under the budget of padded tokens, in random order."""
    rng = np.random.default_rng([recipe.seed, epoch])
    plan: list[list] = []
    longest = [max(len(ids[i]) for i in group) for group in members]
    size = len(members[0])
    order = np.argsort(np.array(longest) * rng.uniform(0.9, 1.1, len(longest)), kind="stable")
    per_batch = max(1, recipe.token_budget // (size * max(longest)))
    plan += [[members[i] for i in order[start : start + per_batch]] for start in range(0, len(order), per_batch)]
    web = rng.permutation(list(grades))
    plan += [web[start : start + 64].tolist() for start in range(0, len(web), 64)]
    return [plan[i] for i in rng.permutation(len(plan))]
