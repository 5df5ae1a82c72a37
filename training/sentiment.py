"""The recipe of the sentiment models: negative, neutral or positive.

The default one learns from the project's own texts and from DiaASQ's posts, which anybody may use; the other one from
public reviews and microblogs as well, whose terms are research only or not stated.
"""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer
from torch.nn import functional
from transformers import BertForSequenceClassification

from training.augment import change
from training.classifier import predict
from training.cross_encoder import read_tokenizer, start_cross_encoder
from training.diaasq import read_aspects
from training.examples import batches, encode, read_tsv
from training.loop import PAD, Recipe, finish, fit, hide_tokens, pad, record
from training.own import DATA, Opinion, opinions
from training.passages import cut_passages, read_marked

# Layers that learn to say what the last one does, by the same head, and the weight of that: a text may then leave
# earlier (export/early_exit/). Kaya et al., "Shallow-Deep Networks", 2019; Phuong and Lampert, "Distillation-Based
# Training for Multi-Exit Architectures", 2019.
EARLY, TAUGHT = (2, 3, 4), 0.5
LABELS = ("Negative", "Neutral", "Positive")
NAMES = {"negative": 0, "neutral": 1, "positive": 2}
RECIPE = Recipe(
    epochs=8, learning_rate=3e-4, layer_decay=0.95, dropout=0.05, token_mask=0.05, max_length=384, token_budget=1024
)
JOINED = 0.2  # share of texts that one to three others of the same subject and label are put behind
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
POSTS = "aspect/diaasq/train.tsv"
RESEARCH = "sentiment/pool/train_binary.tsv"  # reviews and microblogs of two labels


def run(
    data: Path | None,
    base: Path,
    out: Path,
    recipe: Recipe = RECIPE,
    research_rows: int = 0,
    newest: Sequence[str] = (),
    share: float = 1.0,
) -> dict[str, float]:
    """Trains and returns the dev figures; `out` gets the averaged weights.

    Without `data` there are own rows only, to learn from and in the figures. `research_rows` is how many of the
    public rows that are for research only are read in each epoch; 0 for a model that anybody may use. Of rows
    whose subject is not among `newest` only a `share` is read in each epoch, chosen anew.
    """
    out.mkdir(parents=True, exist_ok=True)
    shutil.copy(base / "tokenizer.json", out / "tokenizer.json")
    tokenizer = read_tokenizer(out)
    kept, held = opinions()
    kept = kept + cut_passages(kept, tokenizer) + _headlines(recipe.seed)
    if data:
        kept += read_posts(data / POSTS) + cut_passages(read_marked(data / POSTS), tokenizer)
    by_kind = _by_kind(kept)
    public = read_research(data) if data and research_rows else []
    plans, texts, labels = [], [], []
    for epoch in range(recipe.epochs):
        rng = np.random.default_rng([recipe.seed, epoch])
        chosen = [o for o in kept if o.subject in newest or rng.random() < share]
        chosen += [public[i] for i in rng.permutation(len(public))[:research_rows]]
        drawn = [_vary(opinion, by_kind, rng) for opinion in chosen]
        rows = encode(tokenizer, drawn, recipe.max_length)
        start = len(texts)
        texts += rows
        labels += [NAMES[opinion.label] for opinion in chosen]
        plans.append([start + b for b in batches([len(r) for r in rows], recipe.token_budget, rng)])
    targets = torch.tensor(labels)

    def loss_of(model: BertForSequenceClassification, batch: np.ndarray) -> torch.Tensor:
        ids = pad([texts[i] for i in batch])
        hidden = hide_tokens(ids, recipe.token_mask, tokenizer)
        with torch.autocast("cpu", torch.bfloat16, enabled=recipe.bf16):
            given = model(input_ids=hidden, attention_mask=(ids != PAD).long(), output_hidden_states=True)
            early = [model.classifier(model.bert.pooler(given.hidden_states[layer])) for layer in EARLY]
        said = given.logits.float()
        loss = functional.cross_entropy(said, targets[batch], label_smoothing=recipe.label_smoothing)
        last = said.detach().softmax(-1)
        return loss + TAUGHT * sum(functional.cross_entropy(logits.float(), last) for logits in early) / len(EARLY)

    def report(epoch: int, averaged: BertForSequenceClassification) -> None:
        averaged.save_pretrained(out)
        record(out, epoch, evaluate(averaged, tokenizer, held, data))

    fit(start_cross_encoder(base, LABELS, recipe.seed, recipe.dropout), plans, loss_of, recipe, out, report)
    return finish(out, recipe)


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


def read_posts(path: Path) -> list[Opinion]:
    """DiaASQ's forum posts (MIT) whose opinions all go one way, or none of whose does."""
    labels = {"neg": "negative", "pos": "positive", "neu": "neutral", "doubt": "neutral"}
    posts = {text: set().union(*aspects.values()) for text, aspects in read_aspects(path).items()}
    return [
        Opinion(text, labels[next(iter(found))], (), "posts")
        for text, found in posts.items()
        if len(found) == 1 and found <= labels.keys()
    ]


def read_research(data: Path) -> list[Opinion]:
    """Public reviews and microblogs without those that `read_dev` measures on."""
    measured = {text for rows in read_dev(data).values() for text, _ in rows}
    return [
        Opinion(row["text"], "positive" if row["label"] == "1" else "negative", (), row["source"])
        for row in read_tsv(data / RESEARCH)
        if row["text"] not in measured
    ]


def _by_kind(opinions: Sequence[Opinion]) -> dict[tuple[str, str], list[str]]:
    """The texts of each label and subject."""
    found: dict[tuple[str, str], list[str]] = {}
    for opinion in opinions:
        found.setdefault((opinion.label, opinion.subject), []).append(opinion.text)
    return found


def _vary(opinion: Opinion, by_kind: Mapping[tuple[str, str], list[str]], rng: np.random.Generator) -> str:
    """The text, changed a little, and now and then with others of its kind behind it."""
    text = change(opinion.text, rng)
    others = by_kind.get((opinion.label, opinion.subject), [])
    if not others or rng.random() > JOINED:
        return text
    for _ in range(int(rng.integers(1, 4))):
        mark = ("。", "，", " ", "！")[int(rng.integers(4))]
        text = text.rstrip("。") + mark + others[int(rng.integers(len(others)))]
    return text


def _headlines(seed: int) -> list[Opinion]:
    rows = [row["text"] for path in sorted((DATA / "topics").glob("topics_[nps]*.tsv")) for row in read_tsv(path)]
    order = np.random.default_rng(seed).permutation(len(rows))[:HEADLINES]
    return [Opinion(rows[i], "neutral", (), "headlines") for i in order]
