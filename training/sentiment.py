"""The recipe of the default sentiment model: negative, neutral or positive, from the project's own texts."""

import dataclasses
import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer
from torch.nn import functional
from transformers import BertForSequenceClassification

from training.augment import change
from training.classifier import predict
from training.cross_encoder import read_tokenizer, start_cross_encoder
from training.examples import batches, encode, read_tsv
from training.loop import PAD, Recipe, fit, hide_tokens, pad
from training.own import DATA, Opinion, opinions

LABELS = ("Negative", "Neutral", "Positive")
NAMES = {"negative": 0, "neutral": 1, "positive": 2}
RECIPE = Recipe(
    epochs=3, learning_rate=3e-4, layer_decay=0.95, dropout=0.05, token_mask=0.05, max_length=384, token_budget=1024
)
JOINED = 0.12  # share of texts that another of the same subject and label is put behind
HEADLINES = 1200  # of the topics' texts, which say no opinion
# Public sets that are only measured on: file below the data folder, rows.
DEV = {
    "ChnSentiCorp dev_unseen": ("sentiment/chnsenticorp/dev_unseen.tsv", None, 839),
    "weibo2018": ("sentiment/pool/train_binary.tsv", "weibo2018", 500),
    "online shops": ("sentiment/pool/train_binary.tsv", "online_shopping_10_cats", 500),
    "take-away": ("sentiment/pool/train_binary.tsv", "waimai_10k", 500),
    "nlpcc14": ("sentiment/pool/train_binary.tsv", "nlpcc14_sc", 500),
    "Douban books": ("sentiment/book_review_douban/dev.tsv", None, 500),
}
DEV_SEED = 20


def run(data: Path | None, base: Path, out: Path, recipe: Recipe = RECIPE) -> dict[str, float]:
    """Trains and returns the dev figures, without `data` of own rows only; `out` gets the averaged weights."""
    out.mkdir(parents=True, exist_ok=True)
    shutil.copy(base / "tokenizer.json", out / "tokenizer.json")
    tokenizer = read_tokenizer(out)
    kept, held = opinions()
    kept = kept + _headlines(recipe.seed)
    plans, texts, labels = [], [], []
    for epoch in range(recipe.epochs):
        rng = np.random.default_rng([recipe.seed, epoch])
        drawn = [_vary(opinion, kept, rng) for opinion in kept]
        rows = encode(tokenizer, drawn, recipe.max_length)
        start = len(texts)
        texts += rows
        labels += [NAMES[opinion.label] for opinion in kept]
        plans.append([start + b for b in batches([len(r) for r in rows], recipe.token_budget, rng)])
    targets = torch.tensor(labels)

    def loss_of(model: BertForSequenceClassification, batch: np.ndarray) -> torch.Tensor:
        ids = pad([texts[i] for i in batch])
        hidden = hide_tokens(ids, recipe.token_mask, tokenizer)
        with torch.autocast("cpu", torch.bfloat16, enabled=recipe.bf16):
            logits = model(input_ids=hidden, attention_mask=(ids != PAD).long()).logits
        return functional.cross_entropy(logits.float(), targets[batch], label_smoothing=recipe.label_smoothing)

    def report(epoch: int, averaged: BertForSequenceClassification) -> None:
        averaged.save_pretrained(out)
        figures = evaluate(averaged, tokenizer, held, data)
        (out / "figures.json").write_text(json.dumps(figures, ensure_ascii=False, indent=2), "utf-8")
        print(f"epoch {epoch}: {json.dumps(figures, ensure_ascii=False)}", flush=True)

    fit(start_cross_encoder(base, LABELS, recipe.seed, recipe.dropout), plans, loss_of, recipe, out, report)
    (out / "recipe.json").write_text(json.dumps(dataclasses.asdict(recipe), indent=2), "utf-8")
    return json.loads((out / "figures.json").read_text("utf-8"))


def evaluate(
    model: BertForSequenceClassification, tokenizer: Tokenizer, held: Sequence[Opinion], data: Path | None
) -> dict[str, float]:
    """Shares of texts labelled right: of own rows held out by all three labels, of public sets by the two."""
    own = predict(model, tokenizer, [o.text for o in held], 512)
    truth = np.array([NAMES[o.label] for o in held])
    sided = truth != 1
    figures = {
        "own, three labels": float(np.mean(own.argmax(1) == truth)),
        "own, with an opinion": float(np.mean((own[:, 2] > own[:, 0]) == (truth == 2), where=sided)),
        "own, neutral found": float(np.mean(own.argmax(1) == 1, where=~sided)),
    }
    for name, rows in (read_dev(data) if data else {}).items():
        found = predict(model, tokenizer, [text for text, _ in rows], 512)
        figures[name] = float(np.mean((found[:, 2] > found[:, 0]) == [positive for _, positive in rows]))
        figures[f"{name}, said neutral"] = float(np.mean(found.argmax(1) == 1))
    return figures


def read_dev(data: Path) -> dict[str, list[tuple[str, bool]]]:
    """Texts of the public sets and whether each is positive; nothing is trained on them."""
    found = {}
    for name, (file, source, count) in DEV.items():
        rows = [r for r in read_tsv(data / file) if source in (None, r.get("source"))]
        order = np.random.default_rng(DEV_SEED).permutation(len(rows))[:count]
        found[name] = [(rows[i]["text"], rows[i]["label"] == "1") for i in order]
    return found


def _vary(opinion: Opinion, all_of_them: Sequence[Opinion], rng: np.random.Generator) -> str:
    """The text, changed a little, and now and then with another one of the same label behind it."""
    text = change(opinion.text, rng)
    if rng.random() > JOINED:
        return text
    for _ in range(20):
        other = all_of_them[int(rng.integers(len(all_of_them)))]
        if (other.label, other.subject) == (opinion.label, opinion.subject):
            return text.rstrip("。") + ("。", "，", " ", "！")[int(rng.integers(4))] + other.text
    return text


def _headlines(seed: int) -> list[Opinion]:
    rows = [row["text"] for path in sorted((DATA / "topics").glob("topics_[nps]*.tsv")) for row in read_tsv(path)]
    order = np.random.default_rng(seed).permutation(len(rows))[:HEADLINES]
    return [Opinion(rows[i], "neutral", (), "headlines") for i in order]
