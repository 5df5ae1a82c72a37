"""The recipe of the default sentiment model."""

import dataclasses
import json
import shutil
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer
from transformers import BertForSequenceClassification

from training.base import is_base
from training.emoji import add_emoji, start_embeddings
from training.examples import Example, hold_out, read_labelled
from training.loop import Recipe, predict, train
from training.ngrams import judge
from training.synthetic import make_examples

LABELS = ("Negative", "Positive")
HEAD_SEED = 20  # of the fresh head: one for all runs, because only then can their weights be averaged
# Rows of the training pool kept back, for sources that have no dev file of their own.
HELD_OUT = {"online_shopping_10_cats": 1000, "waimai_10k": 1000, "nlpcc14_sc": 1000, "weibo2018": 1000}
HOLD_OUT_SEED = 20  # the same rows in every run, whatever its own seed


def load_examples(data: Path, seed: int = HOLD_OUT_SEED) -> tuple[list[Example], dict[str, list[Example]]]:
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


def start_model(base: Path, out: Path, dropout: float) -> tuple[BertForSequenceClassification, Tokenizer]:
    """A model to train and its tokenizer, which is written to `out`.

    `base` is the base encoder, which gets a fresh two-way head and emoji, or an earlier run, taken as it is.
    """
    torch.manual_seed(HEAD_SEED)
    model = BertForSequenceClassification.from_pretrained(
        base,
        id2label=dict(enumerate(LABELS)),
        label2id={label: i for i, label in enumerate(LABELS)},
        attn_implementation="eager",  # a training step on a CPU is 1.1 to 1.5 times as fast as with SDPA
        attention_probs_dropout_prob=dropout,
        hidden_dropout_prob=dropout,
        classifier_dropout=dropout,
    )
    if is_base(base):
        starts = add_emoji(base / "tokenizer.json", out / "tokenizer.json")
        start_embeddings(model.bert.embeddings.word_embeddings.weight, starts)
    else:
        shutil.copy(base / "tokenizer.json", out / "tokenizer.json")
    tokenizer = Tokenizer.from_file(str(out / "tokenizer.json"))
    tokenizer.no_padding()
    return model, tokenizer


def soften(examples: list[Example], trust: float) -> list[Example]:
    """Labels that n-grams doubt made softer: (1 - trust) of the label, `trust` of what n-grams say.

    Reviews carry many wrong labels, and a small model with a few epochs memorises them. The n-grams' word
    on a row comes from folds without it.
    """
    real = [e for e in examples if e.source != "synthetic"]
    own = judge(real, HOLD_OUT_SEED)
    return [
        dataclasses.replace(e, positive=(1 - trust) * e.positive + trust * float(p))
        for e, p in zip(real, own, strict=True)
    ] + [e for e in examples if e.source == "synthetic"]


def evaluate(
    model: BertForSequenceClassification, tokenizer: Tokenizer, dev: dict[str, list[Example]], bf16: bool = True
) -> dict[str, float]:
    """Share of texts labelled right, for each dev set."""
    out = {}
    for name, examples in dev.items():
        said = predict(model, tokenizer, [e.text for e in examples], 512, bf16) > 0.5
        out[name] = float(np.mean(said == [e.positive > 0.5 for e in examples]))
    return out


def run(data: Path, base: Path, out: Path, recipe: Recipe, trust: float) -> dict[str, float]:
    """Trains and returns the dev figures. `out` gets the averaged weights, `out/last` those of the last step."""
    out.mkdir(parents=True, exist_ok=True)
    examples, dev = load_examples(data)
    if trust > 0:
        cached = out / "soft.json"  # the folds take minutes; a resumed run finds their word here
        if not cached.exists():
            rows = [dataclasses.astuple(e) for e in soften(examples, trust)]
            cached.write_text(json.dumps(rows, ensure_ascii=False), "utf-8")
        examples = [Example(*fields) for fields in json.loads(cached.read_text("utf-8"))]
    model, tokenizer = start_model(base, out, recipe.dropout)

    def report(epoch: int, averaged: BertForSequenceClassification) -> None:
        figures = evaluate(averaged, tokenizer, dev)
        print(f"epoch {epoch}: " + ", ".join(f"{k} {v:.4f}" for k, v in figures.items()), flush=True)

    averaged = train(model, tokenizer, examples, recipe, out, report)
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
