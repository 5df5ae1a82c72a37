"""The recipe of the default zero-shot model: does a text entail "this is about <label>"?"""

import dataclasses
import json
import shutil
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional
from transformers import BertForSequenceClassification

from training.cross_encoder import encode_pairs, logits_of, predict_pairs, read_tokenizer, start_cross_encoder
from training.examples import batches, read_tsv
from training.label_sets import LONGEST, Labelled, draw_candidates, read_others, read_own, reword, unseen_intents
from training.loop import Recipe, fit

LABELS = ("entailment", "neutral", "contradiction")  # the order of StructBERT's zero-shot checkpoints
RECIPE = Recipe(epochs=2, learning_rate=1e-4, dropout=0.0, token_mask=0.05, max_length=192, token_budget=3072, seed=23)
WRONG = 4  # wrong labels beside the right one
TEMPLATES = (
    "这是一条关于{}的新闻",
    "这句话的类别是{}",
    "这段话说的是{}",
    "这篇文章的标题是{}",
    "主题：{}",
    "{}。",
    "{}类",
)
PLAIN = 0.65  # share of bare labels, which is what the server sends unless it is told otherwise
REWORDED = 0.2  # share of texts whose candidates stand in other words
NLI = (("nli/cmnli/dev.tsv", 1000), ("nli/csnli/dev.tsv", 1000), ("nli/ocnli/train_10k.tsv", 1000))  # rows held out
THUCNEWS = {"finance": "财经", "realty": "房产", "stocks": "股票", "education": "教育", "science": "科技"}
THUCNEWS |= {"society": "社会", "politics": "时政", "sports": "体育", "game": "游戏", "entertainment": "娱乐"}
TNEWS = {"story": "故事", "culture": "文化", "entertainment": "娱乐", "sports": "体育", "finance": "财经"}
TNEWS |= {"house": "房产", "car": "汽车", "edu": "教育", "tech": "科技", "military": "军事", "travel": "旅游"}
TNEWS |= {"world": "国际", "stock": "股票", "agriculture": "农业", "game": "游戏"}
SPLIT = 20  # seed of what is held out, the same for every run
DEV_ROWS = 500  # of a classification set, for the quick look after an epoch


def run(data: Path, base: Path, out: Path, recipe: Recipe = RECIPE) -> dict[str, float]:
    """Trains, writes the model to `out`, and returns the dev figures. `base` may be another run's cross-encoder."""
    out.mkdir(parents=True, exist_ok=True)
    shutil.copy(base / "tokenizer.json", out / "tokenizer.json")
    tokenizer = read_tokenizer(out)
    nli, dev = read_nli(data, SPLIT)
    own, others = read_own(), read_others(data, SPLIT)
    pairs: list[tuple[str, str]] = []
    truths: dict[int, int] = {}  # of the NLI rows
    members: list[list[list[int]]] = []
    for epoch in range(recipe.epochs):
        rng = np.random.default_rng([recipe.seed, epoch])
        members.append([])
        for group in make_groups(own + _share(others, epoch, recipe), rng):
            members[epoch].append(list(range(len(pairs), len(pairs) + len(group))))
            pairs += group
        for pair, truth in _share(nli, epoch, recipe):
            truths[len(pairs)] = truth
            pairs.append(pair)
    rows = encode_pairs(tokenizer, pairs, recipe.max_length)
    lengths = [len(ids) for ids in rows[0]]
    singles = [list(truths)[epoch :: recipe.epochs] for epoch in range(recipe.epochs)]
    plans = [_plan(members[epoch], singles[epoch], lengths, recipe, epoch) for epoch in range(recipe.epochs)]

    def loss_of(model: BertForSequenceClassification, batch: list) -> torch.Tensor:
        if isinstance(batch[0], list):
            return _label_loss(model, rows, batch, recipe.token_mask)
        logits = logits_of(model, rows, batch, recipe.token_mask)
        return functional.cross_entropy(logits, torch.tensor([truths[i] for i in batch]), label_smoothing=0.05)

    def report(epoch: int, averaged: BertForSequenceClassification) -> None:
        averaged.save_pretrained(out)
        figures = json.dumps(evaluate(averaged, out, data, dev), ensure_ascii=False, indent=2)
        (out / "figures.json").write_text(figures, "utf-8")
        print(f"epoch {epoch}: {figures}", flush=True)

    fit(start_cross_encoder(base, LABELS, recipe.seed), plans, loss_of, recipe, out, report)
    (out / "recipe.json").write_text(json.dumps(dataclasses.asdict(recipe), indent=2), "utf-8")
    return json.loads((out / "figures.json").read_text("utf-8"))


def read_nli(data: Path, seed: int) -> tuple[list[tuple[tuple[str, str], int]], dict[str, list]]:
    """(training rows, held-out rows by name), a row being ((premise, hypothesis), label's index)."""
    train, held = [], {}
    for name, count in NLI:
        rows = [((r["text_a"], r["text_b"]), LABELS.index(r["label"])) for r in read_tsv(data / name)]
        order = np.random.default_rng(seed).permutation(len(rows))
        held[f"{name}, {count} rows held out"] = [rows[i] for i in order[:count]]
        train += [rows[i] for i in order[count:]]
    return train, held


def make_groups(examples: list[Labelled], rng: np.random.Generator) -> list[list[tuple[str, str]]]:
    """For each text its pairs with candidate hypotheses, the true one first."""
    others = sorted({label for e in examples for label in e.labels})
    groups = []
    for e in examples:
        template = "{}" if rng.random() < PLAIN else TEMPLATES[int(rng.integers(len(TEMPLATES)))]
        labels = draw_candidates(e, others, WRONG, rng)
        if rng.random() < REWORDED:
            labels = reword(labels, rng)
        groups.append([(e.text[:LONGEST], template.replace("{}", label)) for label in labels])
    return groups


def evaluate(model: BertForSequenceClassification, run: Path, data: Path, dev: dict[str, list]) -> dict[str, float]:
    """Accuracy on held-out NLI rows, and of the best label on sets of labels."""
    tokenizer = read_tokenizer(run)
    figures = {}
    for name, rows in dev.items():
        said = predict_pairs(model, tokenizer, [pair for pair, _ in rows], RECIPE.max_length).argmax(1)
        figures[name] = float(np.mean(said == [truth for _, truth in rows]))
    unseen = unseen_intents(data, SPLIT)
    intents = read_tsv(data / "intent" / "cic_dataclue" / "dev.tsv")
    sets = {
        "thucnews_titles/dev": [
            (r["text"], THUCNEWS[r["label"]]) for r in _rows(data, "topic/thucnews_titles/dev.tsv")
        ],
        "tnews_dataclue/dev": [
            (r["text"], TNEWS[r["label"].removeprefix("news_")]) for r in _rows(data, "topic/tnews_dataclue/dev.tsv")
        ],
        "csl_category_title/dev": [(r["text"], r["label"]) for r in _rows(data, "topic/csl_category_title/dev.tsv")],
        f"cic_dataclue/dev, {len(unseen)} unseen intents": [
            (r["text"], r["label"]) for r in intents if r["label"] in unseen
        ],
    }
    for name, rows in sets.items():
        labels = sorted({label for _, label in rows})
        pairs = [(text, label) for text, _ in rows for label in labels]
        logits = predict_pairs(model, tokenizer, pairs, RECIPE.max_length)[:, 0].reshape(len(rows), len(labels))
        figures[name] = float(
            np.mean([labels[i] == label for i, (_, label) in zip(logits.argmax(1), rows, strict=True)])
        )
    return figures


def _label_loss(
    model: BertForSequenceClassification, rows: tuple, groups: list[list[int]], mask: float
) -> torch.Tensor:
    """As the server reads the logits: softmax over labels, and each label by itself."""
    flat = [i for group in groups for i in group]
    logits = logits_of(model, rows, flat, mask)
    parts = logits[:, 0].split([len(group) for group in groups])
    first = torch.zeros(1, dtype=torch.long)
    order = torch.stack([functional.cross_entropy(part[None], first, label_smoothing=0.05) for part in parts])
    truth = torch.cat([functional.one_hot(torch.tensor(0), len(part)).float() for part in parts])
    alone = functional.binary_cross_entropy_with_logits(logits[:, 0] - logits[:, 2], truth * 0.95 + 0.02)
    return order.mean() + 0.5 * alone


def _share(items: list, epoch: int, recipe: Recipe) -> list:
    """Each epoch sees its own share of the data that is plentiful."""
    order = np.random.default_rng(recipe.seed).permutation(len(items))
    return [items[i] for i in order[epoch :: recipe.epochs]]


def _plan(members: list[list[int]], singles: list[int], lengths: list[int], recipe: Recipe, epoch: int) -> list[list]:
    """Batches of whole groups and of NLI rows, each of about equal length, in random order."""
    rng = np.random.default_rng([recipe.seed, epoch, 1])
    grouped = batches([len(g) * max(lengths[i] for i in g) for g in members], recipe.token_budget, rng)
    plain = batches([lengths[i] for i in singles], recipe.token_budget, rng)
    plan = [[members[i] for i in batch] for batch in grouped] + [[singles[i] for i in batch] for batch in plain]
    return [plan[i] for i in rng.permutation(len(plan))]


def _rows(data: Path, name: str) -> list[dict[str, str]]:
    rows = read_tsv(data / name)
    return [rows[i] for i in np.random.default_rng(0).permutation(len(rows))[:DEV_ROWS]]
