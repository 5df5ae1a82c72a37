"""One model from several runs: the weighted mean of their weights ("model soup", Wortsman et al. 2022).

The runs have to start from the same base encoder. Mean weights are often better than each run's, and cost
nothing when the model is used.
"""

import shutil
from pathlib import Path

from safetensors.torch import load_file, save_file


def average(runs: list[Path], weights: list[float], out: Path) -> Path:
    """Writes the mean of the Hugging Face folders `runs`, `weights` in any unit, to `out`; returns it.

    Raises ValueError when the tokenizers or the tensors of the runs differ.
    """
    total = sum(weights)
    tokenizers = {(run / "tokenizer.json").read_bytes() for run in runs}
    if len(tokenizers) != 1:
        raise ValueError("the runs have different tokenizers, so their weights mean different things")
    mean: dict = {}
    for run, weight in zip(runs, weights, strict=True):
        tensors = load_file(run / "model.safetensors")
        if mean and mean.keys() != tensors.keys():
            raise ValueError(f"{run} has other tensors than {runs[0]}")
        for name, tensor in tensors.items():
            mean[name] = mean.get(name, 0) + tensor * (weight / total)
    out.mkdir(parents=True, exist_ok=True)
    for name in ("config.json", "tokenizer.json"):
        shutil.copy(runs[0] / name, out / name)
    save_file(mean, out / "model.safetensors", {"format": "pt"})
    return out
