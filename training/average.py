"""One model from several runs: the weighted mean of their weights ("model soup", Wortsman et al. 2022).

The runs have to start from the same base encoder, which may be one of them: a fine-tuned model averaged with what it
was made from keeps more of what that knew ("WiSE-FT", Wortsman et al. 2021). Mean weights cost nothing when the model
is used.
"""

import shutil
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from training.base import is_run


def average(runs: list[Path], weights: list[float], out: Path) -> Path:
    """Writes the mean of the folders `runs`, `weights` in any unit, to `out`; returns it.

    The first is a run of ours; what the base encoder does not have, the head, is the mean of the others. Raises
    ValueError when the tokenizers or the tensors of the runs differ.
    """
    tokenizers = {(run / "tokenizer.json").read_bytes() for run in runs}
    if len(tokenizers) != 1:
        raise ValueError("the runs have different tokenizers, so their weights mean different things")
    tensors = [_read(run) for run in runs]
    mean = {}
    for name in tensors[0]:
        having = [(t[name], weight) for t, weight in zip(tensors, weights, strict=True) if name in t]
        mean[name] = sum(tensor * weight for tensor, weight in having) / sum(weight for _, weight in having)
    for run, own in zip(runs, tensors, strict=True):
        if is_run(run) and own.keys() != mean.keys():
            raise ValueError(f"{run} has other tensors than {runs[0]}")
    out.mkdir(parents=True, exist_ok=True)
    for name in ("config.json", "tokenizer.json"):
        shutil.copy(runs[0] / name, out / name)
    save_file(mean, out / "model.safetensors", {"format": "pt"})
    return out


def _read(run: Path) -> dict[str, torch.Tensor]:
    if is_run(run):
        return load_file(run / "model.safetensors")
    stored = run / "model.safetensors"
    if stored.is_file():
        tensors = load_file(stored)
    else:
        tensors = torch.load(run / "pytorch_model.bin", weights_only=True, map_location="cpu")
    return {f"bert.{name}": tensor.float() for name, tensor in tensors.items()}
