"""BatchNorm1d of a Siamese head: read strictly, and folded into the linear layer behind it.

In evaluation mode BatchNorm is (x - mean) / sqrt(variance + eps) * weight + bias with fixed statistics: an affine map
that depends on no batch. In front of a linear layer it is a change of that layer's own numbers.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from export.refusal import ExportRefused

EPS = 1e-5  # PyTorch's default; a state dict does not hold it


def read_batch_norm(tensors: dict[str, torch.Tensor], name: str, width: int) -> nn.BatchNorm1d:
    """The BatchNorm1d `name` over `width` channels in evaluation mode; its tensors are taken out of `tensors`.

    Raises ExportRefused when statistics are missing or were never updated: such a head was not trained to be used in
    evaluation mode, and in training mode the score of a pair depends on its batch.
    """
    own = {key.removeprefix(f"{name}."): tensors.pop(key) for key in sorted(tensors) if key.startswith(f"{name}.")}
    if absent := [key for key in ("running_mean", "running_var") if key not in own]:
        raise ExportRefused(f"the checkpoint's {name} has no {absent[0]}, so it would depend on the batch")
    if own.get("num_batches_tracked", torch.tensor(1)).item() == 0 or (
        not own["running_mean"].any() and (own["running_var"] == 1).all()
    ):
        raise ExportRefused(f"the statistics of the checkpoint's {name} were never updated, so it is not trained")
    layer = nn.BatchNorm1d(width, eps=EPS, affine="weight" in own)
    try:
        layer.load_state_dict({"num_batches_tracked": torch.tensor(1)} | own)
    except RuntimeError:
        shapes = {key: list(tensor.shape) for key, tensor in own.items()}
        raise ExportRefused(f"the checkpoint's {name} is no BatchNorm1d over {width} channels: {shapes}") from None
    if not (own["running_var"] >= 0).all() or not all(torch.isfinite(tensor).all() for tensor in own.values()):
        raise ExportRefused(f"the checkpoint's {name} holds numbers that are not finite or a negative variance")
    return layer.eval()


def fold_batch_norm(layer: nn.BatchNorm1d, weight: NDArray[np.float64]) -> tuple[NDArray[np.float64], float]:
    """(weight', bias) with weight' x + bias = weight layer(x), float64 [channels] and a number."""
    state = {key: tensor.double().numpy() for key, tensor in layer.state_dict().items()}
    factor = state.get("weight", 1.0) / np.sqrt(state["running_var"] + layer.eps)
    shift = state.get("bias", 0.0) - state["running_mean"] * factor
    return weight * factor, float((weight * shift).sum())
