"""Fine-tuning of a single-text classifier, and its word on texts."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer
from torch.nn import functional
from tqdm import tqdm
from transformers import BertForSequenceClassification

from training.examples import batches, encode
from training.loop import PAD, Recipe, fit, has_bf16, hide_tokens, pad


def train(
    model: BertForSequenceClassification,
    tokenizer: Tokenizer,
    texts: list[str],
    targets: torch.Tensor,
    recipe: Recipe,
    folder: Path,
    on_epoch: Callable[[int, BertForSequenceClassification], bool | None],
) -> BertForSequenceClassification:
    """Fine-tunes `model` on `targets`, each text's probability of each label, float32 [texts, labels].

    Returns the averaged model; resumable, and stopped by `on_epoch`, as `fit` says.
    """
    rows = encode(tokenizer, texts, recipe.max_length)
    targets = targets * (1 - recipe.label_smoothing) + recipe.label_smoothing / targets.shape[1]
    lengths = [len(ids) for ids in rows]

    def loss_of(model: BertForSequenceClassification, batch: np.ndarray) -> torch.Tensor:
        ids = pad([rows[i] for i in batch])
        with torch.autocast("cpu", torch.bfloat16, enabled=recipe.bf16):
            hidden = hide_tokens(ids, recipe.token_mask, tokenizer)
            logits = model(input_ids=hidden, attention_mask=(ids != PAD).long()).logits
        return functional.cross_entropy(logits.float(), targets[batch])

    plans = [
        list(batches(lengths, recipe.token_budget, np.random.default_rng([recipe.seed, epoch])))
        for epoch in range(recipe.epochs)
    ]
    return fit(model, plans, loss_of, recipe, folder, on_epoch)


def predict(
    model: BertForSequenceClassification,
    tokenizer: Tokenizer,
    texts: list[str],
    max_length: int,
    bf16: bool | None = None,
) -> np.ndarray:
    """Each text's probability of each label, float64 [texts, labels]; in bfloat16 where the CPU has it, unless told."""
    rows = encode(tokenizer, texts, max_length)
    out = np.zeros((len(texts), model.config.num_labels))
    model.eval()
    with torch.inference_mode():
        for batch in tqdm(list(batches([len(r) for r in rows], 8192, None)), leave=False, mininterval=10):
            ids = pad([rows[i] for i in batch])
            with torch.autocast("cpu", torch.bfloat16, enabled=has_bf16() if bf16 is None else bf16):
                logits = model(input_ids=ids, attention_mask=(ids != PAD).long()).logits
            out[batch] = logits.double().softmax(-1).numpy()
    return out
