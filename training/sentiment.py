"""The recipe of the default sentiment model."""

import dataclasses
import json
import shutil
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer
from transformers import BertForSequenceClassification

from training.classifier import predict, train
from training.emoji import add_emoji, start_embeddings
from training.examples import Example, hold_out, read_labelled, read_tsv
from training.loop import Recipe
from training.ngrams import judge
from training.synthetic import make_examples

LABELS = ("Negative", "Positive")
# Rows of the training pool kept back, for sources that have no dev file of their own.
HELD_OUT = {"online_shopping_10_cats": 1000, "waimai_10k": 1000, "nlpcc14_sc": 1000, "weibo2018": 1000}
UNLABELLED = ("eprstmt/unlabeled.tsv",)


def load_examples(data: Path, seed: int = Recipe().seed) -> tuple[list[Example], dict[str, list[Example]]]:
    """(examples to train on, dev sets by name) from a folder laid out as docs/training.md says."""
    kept, held = hold_out(read_labelled(data / "pool" / "train_binary.tsv"), HELD_OUT, seed)
    dev = {
        "chnsenticorp/dev_unseen": read_labelled(data / "chnsenticorp" / "dev_unseen.tsv"),
        "book_review_douban/dev": read_labelled(data / "book_review_douban" / "dev.tsv"),
    }
    for name in HELD_OUT:
        dev[f"pool held out: {name}"] = [e for e in held if e.source == name]
    seen = {e.text for examples in dev.values() for e in examples}
    return [e for e in kept if e.text not in seen] + make_examples(4000, seed), dev


def load_unlabelled(data: Path, not_in: set[str]) -> list[str]:
    """Texts for a teacher to label; none of them stands in `not_in` (the dev sets)."""
    texts = dict.fromkeys(row["text"] for name in UNLABELLED for row in read_tsv(data / name))
    return [text for text in texts if text not in not_in]


def start_model(base: Path, out: Path, dropout: float) -> tuple[BertForSequenceClassification, Tokenizer]:
    """The base encoder with a fresh two-way head, and its tokenizer with emoji, written to `out`."""
    torch.manual_seed(Recipe().seed)  # of the head
    model = BertForSequenceClassification.from_pretrained(
        base,
        id2label=dict(enumerate(LABELS)),
        label2id={label: i for i, label in enumerate(LABELS)},
        attn_implementation="eager",  # a training step on a CPU is 1.2 to 1.5 times as fast as with SDPA
        attention_probs_dropout_prob=0.0,
        hidden_dropout_prob=dropout,
        classifier_dropout=0.1,
    )
    starts = add_emoji(base / "tokenizer.json", out / "tokenizer.json")
    start_embeddings(model.bert.embeddings.word_embeddings.weight, starts)
    tokenizer = Tokenizer.from_file(str(out / "tokenizer.json"))
    tokenizer.no_padding()
    return model, tokenizer


def teach(examples: list[Example], unlabelled: list[str], teacher: Path, trust: float) -> list[Example]:
    """Softens labels that n-grams doubt (weight `trust`), and adds the unlabelled texts.

    Reviews carry many wrong labels, and a small model with a few epochs memorises them: the n-grams' word on
    a row comes from folds without it. An unlabelled text has the mean of the n-grams' word and the teacher's.
    """
    model = BertForSequenceClassification.from_pretrained(teacher, attn_implementation="eager")
    tokenizer = Tokenizer.from_file(str(teacher / "tokenizer.json"))
    real = [e for e in examples if e.source != "synthetic"]
    made = [e for e in examples if e.source == "synthetic"]
    own, others = judge(real, unlabelled, Recipe().seed)
    others = (others + predict(model, tokenizer, unlabelled, 512)[:, 1]) / 2
    mixed = [
        dataclasses.replace(e, positive=(1 - trust) * e.positive + trust * float(p))
        for e, p in zip(real, own, strict=True)
    ]
    return mixed + made + [Example(text, float(p), "teacher") for text, p in zip(unlabelled, others, strict=True)]


def evaluate(
    model: BertForSequenceClassification, tokenizer: Tokenizer, dev: dict[str, list[Example]], bf16: bool = True
) -> dict[str, float]:
    """Share of texts labelled right, for each dev set."""
    out = {}
    for name, examples in dev.items():
        said = predict(model, tokenizer, [e.text for e in examples], 512, bf16)[:, 1] > 0.5
        out[name] = float(np.mean(said == [e.positive > 0.5 for e in examples]))
    return out


def run(data: Path, base: Path, out: Path, recipe: Recipe, teacher: Path | None, trust: float) -> dict[str, float]:
    """Trains and returns the dev figures. `out` gets the averaged weights, `out/last` those of the last step."""
    out.mkdir(parents=True, exist_ok=True)
    examples, dev = load_examples(data)
    if teacher is not None:
        cached = out / "taught.json"  # the teacher's word is expensive; a resumed run finds it here
        if not cached.exists():
            seen = {e.text for items in dev.values() for e in items}
            taught = teach(examples, load_unlabelled(data, seen), teacher, trust)
            cached.write_text(json.dumps([dataclasses.astuple(e) for e in taught], ensure_ascii=False), "utf-8")
        examples = [Example(*fields) for fields in json.loads(cached.read_text("utf-8"))]
    model, tokenizer = start_model(base, out, recipe.dropout)

    def report(epoch: int, averaged: BertForSequenceClassification) -> None:
        figures = evaluate(averaged, tokenizer, dev)
        print(f"epoch {epoch}: " + ", ".join(f"{k} {v:.4f}" for k, v in figures.items()), flush=True)

    targets = torch.tensor([[1 - e.positive, e.positive] for e in examples])
    averaged = train(model, tokenizer, [e.text for e in examples], targets, recipe, out, report)
    averaged.save_pretrained(out)
    model.save_pretrained(out / "last")
    shutil.copy(out / "tokenizer.json", out / "last" / "tokenizer.json")
    (out / "recipe.json").write_text(json.dumps(dataclasses.asdict(recipe), indent=2), "utf-8")
    return report_on(out, dev)


def report_on(run: Path, dev: dict[str, list[Example]]) -> dict[str, float]:
    """Dev figures of a finished run in float32; writes figures.json and dev.tsv into it, for the model card."""
    model = BertForSequenceClassification.from_pretrained(run, attn_implementation="eager")
    tokenizer = Tokenizer.from_file(str(run / "tokenizer.json"))
    figures = evaluate(model, tokenizer, dev, bf16=False)
    (run / "figures.json").write_text(json.dumps(figures, ensure_ascii=False, indent=2), "utf-8")
    _write_dev(run / "dev.tsv", dev)
    return figures


def _write_dev(path: Path, dev: dict[str, list[Example]]) -> None:
    """The dev rows as one file for `python -m structbert_lite evaluate accuracy --by source`."""
    rows = [f"{int(e.positive)}\t{name}\t{e.text}" for name, examples in dev.items() for e in examples]
    path.write_text("\n".join(["label\tsource\ttext", *rows]) + "\n", encoding="utf-8")
