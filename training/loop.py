"""The training loop: bf16 on the CPU, resumable, with a running average of the weights."""

import copy
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer
from torch.nn import functional
from tqdm import tqdm
from transformers import BertForSequenceClassification

from training.examples import Example, batches, encode

PAD, CLS, SEP, MASK = 0, 101, 102, 103


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything that decides the outcome besides the data; two equal recipes give the same steps."""

    epochs: int = 2
    learning_rate: float = 1.5e-4
    layer_decay: float = 0.9  # each layer below the head learns this much slower
    warmup: float = 0.06  # share of all steps
    weight_decay: float = 0.01
    label_smoothing: float = 0.05
    token_mask: float = 0.1  # share of tokens replaced by [MASK]
    dropout: float = 0.1  # of hidden states; there is none in the attention
    average: float = 0.999  # decay of the running average of the weights
    token_budget: int = 4096  # padded tokens in a batch
    max_length: int = 512
    seed: int = 20


def train(
    model: BertForSequenceClassification,
    tokenizer: Tokenizer,
    examples: list[Example],
    recipe: Recipe,
    folder: Path,
    on_epoch: Callable[[int, BertForSequenceClassification], None],
) -> BertForSequenceClassification:
    """Fine-tunes `model` on soft labels and returns the averaged model.

    After each epoch `on_epoch(epoch, averaged model)` is called and everything needed to go on is
    written to `folder/resume.pt`, every 200 steps as well; a run that finds that file goes on from it.
    """
    rows = encode(tokenizer, [e.text for e in examples], recipe.max_length)
    targets = torch.tensor([[1 - e.positive, e.positive] for e in examples])
    targets = targets * (1 - recipe.label_smoothing) + recipe.label_smoothing / 2
    lengths = [len(ids) for ids in rows]
    plans = [list(batches(lengths, recipe.token_budget, _rng(recipe, e))) for e in range(recipe.epochs)]
    total = sum(map(len, plans))
    optimizer = _optimizer(model, recipe)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda s: _rate(s, total, recipe.warmup))
    averaged = copy.deepcopy(model).eval()
    saved = folder / "resume.pt"
    parts = {"model": model, "averaged": averaged, "optimizer": optimizer, "schedule": schedule}
    done = _load(saved, parts) if saved.exists() else 0

    progress = tqdm(total=total, initial=done, unit="step", mininterval=10, smoothing=0.05)
    step = 0
    for epoch, plan in enumerate(plans):
        for batch in plan:
            step += 1
            if step <= done:
                continue
            ids = _pad([rows[i] for i in batch])
            torch.manual_seed(recipe.seed * 1_000_003 + step)  # so that a resumed run drops the same units
            loss = _step(model, _mask_tokens(ids, recipe.token_mask), ids != PAD, targets[batch])
            optimizer.step()
            schedule.step()
            optimizer.zero_grad()
            _average(averaged, model, min(recipe.average, step / (step + 10)))
            progress.set_postfix(loss=f"{loss:.3f}", epoch=epoch + 1, refresh=False)
            progress.update()
            if step % 200 == 0:
                _save(saved, parts, step)
        if step > done:
            _save(saved, parts, step)
            on_epoch(epoch + 1, averaged)
    progress.close()
    return averaged


def predict(
    model: BertForSequenceClassification, tokenizer: Tokenizer, texts: list[str], max_length: int, bf16: bool = True
) -> np.ndarray:
    """Probability that each text is positive, float64 [len(texts)]; in bfloat16 or, slower, in float32."""
    rows = encode(tokenizer, texts, max_length)
    out = np.zeros(len(texts))
    model.eval()
    with torch.inference_mode():
        for batch in tqdm(list(batches([len(r) for r in rows], 8192, None)), leave=False, mininterval=10):
            ids = _pad([rows[i] for i in batch])
            with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
                logits = model(input_ids=ids, attention_mask=(ids != PAD).long()).logits
            out[batch] = logits.double().softmax(-1)[:, 1].numpy()
    return out


def _step(model: BertForSequenceClassification, ids: torch.Tensor, seen: torch.Tensor, target: torch.Tensor) -> float:
    model.train()
    with torch.autocast("cpu", torch.bfloat16):
        logits = model(input_ids=ids, attention_mask=seen.long()).logits
    loss = functional.cross_entropy(logits.float(), target)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    return loss.item()


def _optimizer(model: BertForSequenceClassification, recipe: Recipe) -> torch.optim.Optimizer:
    """AdamW with a rate that falls layer by layer; the word table stays as it is.

    A run that trained it (and differed in more) overfitted from its second epoch on, see docs/training.md.
    """
    depth = model.config.num_hidden_layers
    model.bert.embeddings.word_embeddings.weight.requires_grad_(False)
    groups = []
    for name, parameter in model.named_parameters():
        if not parameter.requires_grad:
            continue
        parts = name.split(".")
        below = depth - int(parts[3]) if parts[1] == "encoder" else depth + 1 if parts[1] == "embeddings" else 0
        decay = 0.0 if parameter.ndim == 1 else recipe.weight_decay
        rate = recipe.learning_rate * recipe.layer_decay**below
        groups.append({"params": [parameter], "lr": rate, "weight_decay": decay})
    return torch.optim.AdamW(groups, fused=True)


def _rate(step: int, total: int, warmup: float) -> float:
    start = max(1, int(total * warmup))
    return step / start if step < start else max(0.0, (total - step) / max(1, total - start))


def _rng(recipe: Recipe, epoch: int) -> np.random.Generator:
    return np.random.default_rng([recipe.seed, epoch])


def _pad(rows: list[list[int]]) -> torch.Tensor:
    longest = max(map(len, rows))
    return torch.tensor([row + [PAD] * (longest - len(row)) for row in rows])


def _mask_tokens(ids: torch.Tensor, share: float) -> torch.Tensor:
    hidden = (torch.rand(ids.shape) < share) & (ids != PAD) & (ids != CLS) & (ids != SEP)
    return ids.masked_fill(hidden, MASK)


@torch.no_grad()
def _average(averaged: torch.nn.Module, model: torch.nn.Module, decay: float) -> None:
    for mean, new in zip(averaged.parameters(), model.parameters(), strict=True):
        if new.requires_grad:
            mean.lerp_(new, 1 - decay)


def _save(path: Path, parts: dict, step: int) -> None:
    state = {name: part.state_dict() for name, part in parts.items()} | {"step": step}
    aside = path.with_suffix(".tmp")
    torch.save(state, aside)
    aside.replace(path)


def _load(path: Path, parts: dict) -> int:
    state = torch.load(path, weights_only=True, map_location="cpu")
    for name, part in parts.items():
        part.load_state_dict(state[name])
    return state["step"]
