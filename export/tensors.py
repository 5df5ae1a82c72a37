"""A checkpoint's tensors held against its config.json and the model that they are for."""

import torch
from transformers import PretrainedConfig

from export.architecture import Architecture
from export.refusal import ExportRefused
from export.tasks import Task


def check_config(
    config: PretrainedConfig, architecture: Architecture, task: Task, tensors: dict[str, torch.Tensor]
) -> None:
    """Names the number in config.json that disagrees, before the shapes of many tensors would.

    Raises ExportRefused at the first, and when the classifier has another number of logits than the task's.
    """
    embeddings, layer = f"{architecture.prefix}embeddings", f"{architecture.prefix}encoder.layer."
    places = {
        "vocab_size": (f"{embeddings}.word_embeddings.weight", 0),
        "hidden_size": (f"{embeddings}.word_embeddings.weight", 1),
        "max_position_embeddings": (f"{embeddings}.position_embeddings.weight", 0),
        "type_vocab_size": (f"{embeddings}.token_type_embeddings.weight", 0),
        "intermediate_size": (f"{layer}0.intermediate.dense.weight", 0),
    }
    found = {name: tensors[key].shape[axis] for name, (key, axis) in places.items() if _is_matrix(tensors, key)}
    layers = {int(key.split(".")[3]) for key in tensors if key.startswith(layer)}
    found["num_hidden_layers"] = max(layers) + 1
    for name, size in found.items():
        if getattr(config, name) != size:
            raise ExportRefused(f"config.json says {name} {getattr(config, name)}, the weights have {size}")
    for key in ("classifier.weight", "classifier.out_proj.weight"):
        if key in tensors and len(tensors[key]) != task.logits:
            raise ExportRefused(
                f"the checkpoint's classifier has {len(tensors[key])} labels, {task.name} needs {task.logits}"
            )


def check_tensors(expected: dict[str, torch.Tensor], tensors: dict[str, torch.Tensor]) -> None:
    """Exactly the model's tensors, in their shapes, finite. Raises ExportRefused with the name of the first that is
    not.
    """
    if missing := sorted(expected.keys() - tensors.keys()):
        raise ExportRefused(f"the checkpoint lacks {missing[0]}{_and_more(missing)}")
    if unexpected := sorted(tensors.keys() - expected.keys()):
        raise ExportRefused(f"the checkpoint has an unexpected key {unexpected[0]}{_and_more(unexpected)}")
    for key, tensor in tensors.items():
        if tensor.shape != expected[key].shape:
            shapes = f"{list(tensor.shape)}, config.json asks for {list(expected[key].shape)}"
            raise ExportRefused(f"the checkpoint's {key} has the shape {shapes}")
        if not tensor.is_floating_point():
            raise ExportRefused(f"the checkpoint's {key} holds {tensor.dtype}, not floating-point numbers")
        if not torch.isfinite(tensor).all():
            raise ExportRefused(f"the checkpoint's {key} holds numbers that are not finite")


def _is_matrix(tensors: dict[str, torch.Tensor], key: str) -> bool:
    return key in tensors and tensors[key].dim() == 2


def _and_more(keys: list[str]) -> str:
    return f" and {len(keys) - 1} more" if len(keys) > 1 else ""
