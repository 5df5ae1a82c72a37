"""The training loop: bf16 where the CPU has it, resumable, with a running average of the weights."""

import copy
import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer
from tqdm import tqdm

PAD = 0  # in every vocabulary that is trained here
MASKS = ("[MASK]", "<mask>")
SPECIAL = ("[PAD]", "[CLS]", "[SEP]", "<pad>", "<s>", "</s>", *MASKS)
SAVE_STEPS, SAVE_SECONDS = 200, 300


def has_bf16() -> bool:
    """Whether this CPU multiplies bfloat16 by itself; otherwise autocast makes a step ten times as long."""
    able = torch.cpu.get_capabilities()
    return bool(able.get("avx512_bf16") or able.get("amx_bf16") or able.get("bf16"))


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
    steps: int | None = None  # stop after so many, the rate having fallen to nothing by then
    seed: int = 20
    bf16: bool = field(default_factory=has_bf16)  # autocast


def fit(
    model: torch.nn.Module,
    plans: Sequence[Sequence[Any]],
    loss_of: Callable[[torch.nn.Module, Any], torch.Tensor],
    recipe: Recipe,
    folder: Path,
    on_epoch: Callable[[int, torch.nn.Module], bool | None],
) -> torch.nn.Module:
    """Fine-tunes `model`, which holds its encoder as `model.bert`, and returns the averaged model.

    `plans` are the batches of each epoch in order, `loss_of(model, batch)` a scalar. After each epoch
    `on_epoch(epoch, averaged model)` is called, which may return True to stop; then everything needed to go on is
    written to `folder/resume.pt`, every 200 steps and five minutes as well. A run that finds that file goes on from
    it; where it was killed between the two, `on_epoch` is called for that epoch again, with the same weights.
    """
    total = min(sum(map(len, plans)), recipe.steps or sum(map(len, plans)))
    optimizer = _optimizer(model, recipe)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda s: _rate(s, total, recipe.warmup))
    averaged = copy.deepcopy(model).eval()
    saved = folder / "resume.pt"
    parts = {"model": model, "averaged": averaged, "optimizer": optimizer, "schedule": schedule}
    done = _load(saved, parts) if saved.exists() else 0

    interval = 1 if sys.stderr.isatty() else 10
    progress = tqdm(total=total, initial=done, unit="step", mininterval=interval, smoothing=0.05)
    step, saved_at = 0, time.monotonic()
    for epoch, plan in enumerate(plans):
        left = plan[: total - step]
        end = step + len(left)
        for batch in left:
            step += 1
            if step <= done:
                continue
            torch.manual_seed(recipe.seed * 1_000_003 + step)  # so that a resumed run drops the same units
            model.train()
            loss = loss_of(model, batch)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            optimizer.zero_grad()
            _average(averaged, model, min(recipe.average, step / (step + 10)))
            progress.set_postfix(loss=f"{loss.item():.3f}", epoch=epoch + 1, refresh=False)
            progress.update()
            if step < end and (step % SAVE_STEPS == 0 or time.monotonic() > saved_at + SAVE_SECONDS):
                _save(saved, parts, step)
                saved_at = time.monotonic()
        if left and step > done:
            stop = on_epoch(epoch + 1, averaged)
            _save(saved, parts, step)
            saved_at = time.monotonic()
            if stop:
                break
    progress.close()
    return averaged


def record(folder: Path, epoch: int, figures: dict[str, float]) -> None:
    """Prints an epoch's dev figures and keeps them in `folder`, the last ones."""
    (folder / "figures.json").write_text(json.dumps(figures, ensure_ascii=False, indent=2), "utf-8")
    print(f"epoch {epoch}: {json.dumps(figures, ensure_ascii=False)}", flush=True)


def finish(folder: Path, recipe: Recipe) -> dict[str, float]:
    """Keeps the recipe in `folder` and returns the last figures."""
    (folder / "recipe.json").write_text(json.dumps(asdict(recipe), indent=2), "utf-8")
    return json.loads((folder / "figures.json").read_text("utf-8"))


def pad(rows: Sequence[Sequence[int]]) -> torch.Tensor:
    """int64 [rows, longest], PAD behind the shorter ones."""
    longest = max(map(len, rows))
    return torch.tensor([[*row, *[PAD] * (longest - len(row))] for row in rows])


def hide_tokens(ids: torch.Tensor, share: float, tokenizer: Tokenizer) -> torch.Tensor:
    """`ids` with a random `share` of the words replaced by the tokenizer's mask."""
    if not share:
        return ids
    numbers = [tokenizer.token_to_id(token) for token in SPECIAL]
    mask = next(number for token, number in zip(SPECIAL, numbers, strict=True) if token in MASKS and number is not None)
    kept = torch.isin(ids, torch.tensor([number for number in numbers if number is not None]))
    return ids.masked_fill((torch.rand(ids.shape) < share) & ~kept, mask)


def _optimizer(model: torch.nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
    """AdamW with a rate that falls layer by layer; the word table stays as it is.

    A run that trained it (and differed in more) overfitted from its second epoch on, see docs/training.md.
    """
    depth = model.bert.config.num_hidden_layers
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
