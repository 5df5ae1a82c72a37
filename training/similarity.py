"""The recipe of the default similarity and embedding model: one Siamese encoder for both."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import torch
from scipy.stats import spearmanr
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from tokenizers import Tokenizer
from torch.nn import functional

from structbert_lite.evaluation.scores import best_accuracy
from training.base import is_run
from training.cross_encoder import read_tokenizer
from training.examples import batches, encode
from training.loop import PAD, Recipe, fit, pad
from training.pairs import Pair, Triple, by_source, read_pairs, read_triples
from training.paraphrases import as_pairs, read_paraphrases
from training.retrieval import read_searches
from training.siamese import Siamese, encode_texts, load_siamese, save_siamese

RECIPE = Recipe(epochs=1, learning_rate=1e-4, label_smoothing=0.05, dropout=0.0, token_mask=0.0, max_length=256)
SECOND = dataclasses.replace(RECIPE, learning_rate=4e-5, max_length=512, seed=24)  # from a run: whole documents
SHARE = 0.3  # of the public data, in a further pass, so that it is not forgotten
PAIRS, TRIPLES, SEARCHES = 64, 48, 32  # rows of a batch
WINDOW, SECOND_WINDOW = 240, 480  # characters of a document
TEMPERATURE = 0.05  # of cosines, in both contrastive losses
ORDER_WEIGHT, UNRELATED_WEIGHT = 0.3, 0.2


def run(data: Path, base: Path, out: Path) -> dict[str, dict[str, float]]:
    """Trains, writes the model and its dev pairs to `out`, and returns the dev figures; from a run, a second pass."""
    out.mkdir(parents=True, exist_ok=True)
    again = is_run(base)
    recipe = SECOND if again else RECIPE
    tokenizer = read_tokenizer(base)
    pairs, own, _ = _read_pairs(data)
    triples = read_triples(data)
    searches = read_searches(data, SECOND_WINDOW if again else WINDOW, 0, 1, recipe.seed)
    triples += [Triple(s.query, s.positive, None, s.source) for s in searches]
    if again:
        pairs, triples = (_some(items, recipe.seed) for items in (pairs, triples))
    pairs, triples = pairs + 2 * as_pairs(own), triples + own
    plans = [_plan(pairs, triples, np.random.default_rng([recipe.seed, epoch])) for epoch in range(recipe.epochs)]
    torch.manual_seed(recipe.seed)

    def loss_of(model: Siamese, batch: list) -> torch.Tensor:
        if isinstance(batch[0], Triple):
            return _search_loss(model, tokenizer, batch, recipe.max_length)
        return _pair_loss(model, tokenizer, batch, recipe)

    def report(epoch: int, averaged: Siamese) -> None:
        save_siamese(averaged, base / "tokenizer.json", out)

    fit(load_siamese(base), plans, loss_of, recipe, out, report)
    (out / "recipe.json").write_text(json.dumps(dataclasses.asdict(recipe), indent=2), "utf-8")
    return report_on(out, data)


def report_on(run: Path, data: Path) -> dict[str, dict[str, float]]:
    """Dev figures of what lies in `run`; writes figures.json, dev.tsv and calibration.tsv (held-out yes/no pairs)."""
    tokenizer = read_tokenizer(run)
    _, _, dev = _read_pairs(data)
    figures = evaluate(load_siamese(run), tokenizer, dev)
    (run / "figures.json").write_text(json.dumps(figures, ensure_ascii=False, indent=2), "utf-8")
    for name, pairs in dev.items():
        rows = [f"{p.text_a}\t{p.text_b}\t{round(p.alike * 5) if p.graded else int(p.alike)}" for p in pairs]
        path = run / "dev" / (name.split("/")[0] + ".tsv")
        path.parent.mkdir(exist_ok=True)
        path.write_text("\n".join(["text_a\ttext_b\tlabel", *rows]) + "\n", encoding="utf-8")
    return figures


def evaluate(model: Siamese, tokenizer: Tokenizer, dev: dict[str, list[Pair]]) -> dict[str, dict[str, float]]:
    """Accuracy and AUC of yes/no pairs, Spearman of graded ones, by name.

    `at_0.5` is of the matcher's score after a logistic fit on the same dev pairs of LCQMC and BQ.
    """
    texts = sorted({text for pairs in dev.values() for p in pairs for text in (p.text_a, p.text_b)})
    vectors = dict(zip(texts, encode_texts(model, tokenizer, texts), strict=True))
    scored = {}
    for name, pairs in dev.items():
        u, v = (torch.tensor(np.stack([vectors[t] for t in side])) for side in zip(*_texts(pairs), strict=True))
        with torch.no_grad():
            scored[name] = model.match(u, v).numpy(), (u * v).sum(1).numpy(), np.array([p.alike for p in pairs])
    fitted = [name for name in scored if name.startswith(("lcqmc", "bq"))]
    logits = np.concatenate([scored[name][0] for name in fitted])[:, None]
    fit_on = LogisticRegression().fit(logits, np.concatenate([scored[name][2] for name in fitted]) > 0.5)
    figures = {}
    for name, (logit, cosine, alike) in scored.items():
        if dev[name][0].graded:
            figures[name] = {
                "spearman": float(spearmanr(logit, alike)[0]),
                "spearman_cosine": float(spearmanr(cosine, alike)[0]),
            }
            continue
        score, truth = fit_on.predict_proba(logit[:, None])[:, 1], alike > 0.5
        figures[name] = {
            "at_0.5": float(np.mean((score > 0.5) == truth)),
            "best": best_accuracy(logit, truth)[1],
            "best_cosine": best_accuracy(cosine, truth)[1],
            "auc": float(roc_auc_score(truth, logit)),
            "mean_of_negatives": float(score[~truth].mean()),
        }
    return figures


def _read_pairs(data: Path) -> tuple[list[Pair], list[Triple], dict[str, list[Pair]]]:
    """(public pairs, own paraphrases, dev pairs by name); every pass holds the same rows out."""
    pairs, dev = read_pairs(data, RECIPE.seed)
    own, held = read_paraphrases(RECIPE.seed)
    return pairs, own, dev | {f"paraphrases/own, {len(held)} triples held out": as_pairs(held)}


def _some(items: list, seed: int) -> list:
    order = np.random.default_rng(seed).permutation(len(items))
    return [items[i] for i in order[: int(SHARE * len(items))]]


def _plan(pairs: list[Pair], triples: list[Triple], rng: np.random.Generator) -> list[list]:
    plan = [[pairs[i] for i in group] for group in by_source(pairs, PAIRS, rng)]
    short = [t for t in triples if t.negative is not None]
    long = [t for t in triples if t.negative is None]
    plan += [[short[i] for i in group] for group in by_source(short, TRIPLES, rng)]
    plan += [[long[i] for i in group] for group in by_source(long, SEARCHES, rng)]
    return [plan[i] for i in rng.permutation(len(plan))]


def _pair_loss(model: Siamese, tokenizer: Tokenizer, batch: list[Pair], recipe: Recipe) -> torch.Tensor:
    u, v = _vectors(model, tokenizer, [list(side) for side in zip(*_texts(batch), strict=True)], recipe.max_length)
    alike = torch.tensor([p.alike for p in batch])
    order = order_loss((u * v).sum(1), alike)
    if batch[0].graded:
        return order
    smooth = alike * (1 - recipe.label_smoothing) + recipe.label_smoothing / 2
    labelled = functional.binary_cross_entropy_with_logits(model.match(u, v), smooth)
    # Texts of different rows have nothing to do with each other, nearly always.
    unrelated = functional.binary_cross_entropy_with_logits(model.match(u, v.roll(1, 0)), torch.zeros(len(batch)))
    return labelled + UNRELATED_WEIGHT * unrelated + ORDER_WEIGHT * order


def order_loss(cosines: torch.Tensor, alike: torch.Tensor) -> torch.Tensor:
    """CoSENT (Su 2022): log(1 + sum of exp((cos_j - cos_i) / t)) over all i that are more alike than j."""
    wrong = (cosines.unsqueeze(0) - cosines.unsqueeze(1)) / TEMPERATURE
    wrong = wrong.masked_fill(alike.unsqueeze(1) <= alike.unsqueeze(0), -1e9)
    return torch.logsumexp(torch.cat([wrong.flatten(), torch.zeros(1)]), 0) / 4


def _search_loss(model: Siamese, tokenizer: Tokenizer, batch: list[Triple], longest: int) -> torch.Tensor:
    """InfoNCE (van den Oord 2018) in both directions: a query's own text against all others of the batch."""
    sides = [[t.query for t in batch], [t.positive for t in batch]]
    if batch[0].negative is not None:
        sides.append([t.negative for t in batch])
    u, v, *others = _vectors(model, tokenizer, sides, longest)
    target = torch.arange(len(batch))
    # The same document may answer two queries of a batch: it is no wrong answer to the other.
    same = torch.tensor([[a.positive == b.positive and a is not b for b in batch] for a in batch])
    near = (u @ v.T / TEMPERATURE).masked_fill(same, -1e9)
    there = functional.cross_entropy(torch.cat([near, *(u @ w.T / TEMPERATURE for w in others)], 1), target)
    return (there + functional.cross_entropy(near.T, target)) / 2


def _vectors(model: Siamese, tokenizer: Tokenizer, sides: list[list[str]], longest: int) -> list[torch.Tensor]:
    """Unit vectors of each side, computed in batches of about equal length."""
    rows = encode(tokenizer, [text for side in sides for text in side], longest)
    parts, places = [], []
    for batch in batches([len(r) for r in rows], 2048, None):
        ids = pad([rows[i] for i in batch])
        parts.append(model.vectors(ids, ids != PAD))
        places.append(torch.from_numpy(batch))
    found = torch.cat(parts)[torch.argsort(torch.cat(places))]
    return list(found.split([len(side) for side in sides]))


def _texts(pairs: list[Pair]) -> list[tuple[str, str]]:
    return [(p.text_a, p.text_b) for p in pairs]
