"""Training with early stopping on the dev rows' macro-F1."""

import shutil
import time
from collections.abc import Sequence
from pathlib import Path

import torch
from tokenizers import Tokenizer
from tqdm import tqdm
from transformers import BertForSequenceClassification

from training.classifier import predict, train
from training.finetune.figures import Figures, measure
from training.finetune.rows import Row
from training.finetune.state import State
from training.loop import Recipe

TOKENIZER = "tokenizer.json"


def learn(
    start: tuple[BertForSequenceClassification, Tokenizer],
    data: tuple[list[Row], list[Row]],
    labels: Sequence[str],
    recipe: Recipe,
    patience: int,
    run: Path,
    state: State,
) -> Path:
    """Trains on the first of `data`, measures on the second after each epoch; returns the folder of the best epoch.

    `run` holds the tokenizer. Called again after a kill, with the same arguments, it goes on where it was.
    """
    model, tokenizer = start
    rows, dev = data
    began = time.monotonic()

    def on_epoch(epoch: int, averaged: BertForSequenceClassification) -> bool:
        found = figures_of(averaged, tokenizer, dev, labels, recipe.max_length, recipe.bf16)
        state.note({"epoch": epoch, "accuracy": found.accuracy, "macro_f1": found.macro_f1, "loss": found.loss})
        best = state.best == epoch
        if best:
            _keep(averaged, run, epoch)
        state.save(run)
        if best:
            _forget_others(run, epoch)
        tqdm.write(
            f"epoch {epoch}: dev accuracy {found.accuracy:.4f}, macro-F1 {found.macro_f1:.4f}, loss {found.loss:.4f}"
            f"{', the best so far' if best else ''} ({time.monotonic() - began:.0f} s)"
        )
        return state.has_lost(patience)

    if not state.done and not state.has_lost(patience):
        numbers = torch.tensor([labels.index(row.label) for row in rows])
        targets = torch.nn.functional.one_hot(numbers, len(labels)).float()
        train(model, tokenizer, [row.text for row in rows], targets, recipe, run, on_epoch)
    state.done = True
    state.save(run)
    return best_folder(run, state)


def figures_of(
    model: BertForSequenceClassification,
    tokenizer: Tokenizer,
    rows: Sequence[Row],
    labels: Sequence[str],
    max_tokens: int,
    bf16: bool = False,
) -> Figures:
    """Figures of a PyTorch model on labelled rows."""
    probabilities = predict(model, tokenizer, [row.text for row in rows], max_tokens, bf16)
    return measure(probabilities, [labels.index(row.label) for row in rows], labels)


def best_folder(run: Path, state: State) -> Path:
    """Where the weights of the best epoch lie, as a Hugging Face checkpoint."""
    return run / f"epoch-{state.best}"


def _keep(model: BertForSequenceClassification, run: Path, epoch: int) -> None:
    aside, folder = run / "epoch.tmp", run / f"epoch-{epoch}"
    for old in (aside, folder):
        shutil.rmtree(old, ignore_errors=True)
    model.save_pretrained(aside)
    shutil.copy(run / TOKENIZER, aside / TOKENIZER)
    aside.rename(folder)


def _forget_others(run: Path, epoch: int) -> None:
    for folder in run.glob("epoch-*"):
        if folder.name != f"epoch-{epoch}":
            shutil.rmtree(folder)
