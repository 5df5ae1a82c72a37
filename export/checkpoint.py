"""A checkpoint in any of its layouts -> one PyTorch model, with no tolerance for what does not fit."""

from dataclasses import dataclass
from pathlib import Path

import torch
from transformers import BertConfig, BertForSequenceClassification

from export.config import read_config
from export.keys import rename_keys
from export.labels import LABELS, check_labels
from export.refusal import ExportRefused
from export.weights import find_weights, read_tensors
from structbert_lite.manifest import file_sha256


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A loaded checkpoint. `model` is in evaluation mode, float32, on the CPU."""

    folder: Path
    model: BertForSequenceClassification
    layout: str  # for people, e.g. "modelscope, pytorch_model.bin, prefix encoder., head classifier."
    label_names: str  # where the checkpoint names its labels
    weights_sha256: str

    @property
    def config(self) -> BertConfig:
        return self.model.config


def load_checkpoint(folder: Path) -> Checkpoint:
    """The sentiment checkpoint in `folder`, every tensor of it accounted for.

    Raises ExportRefused, with the cause, when a file is damaged, the architecture is not BERT with a
    two-way classifier, a tensor is missing, left over, of another shape or not finite, or the
    checkpoint's own label names contradict ours.
    """
    config = read_config(folder)
    label_names = check_labels(folder)
    weights = find_weights(folder)
    tensors, keys = rename_keys(read_tensors(weights))
    _check_config(config, tensors)
    model = BertForSequenceClassification(config)
    _check_tensors(model.state_dict(), tensors)
    model.load_state_dict(tensors, strict=True)
    hub = "modelscope" if (folder / "configuration.json").is_file() else "hugging face"
    layout = f"{hub}, {weights.name}, prefix {keys.prefix or 'none'}, head {keys.head}"
    return Checkpoint(folder, model.eval(), layout, label_names, file_sha256(weights))


def _check_config(config: BertConfig, tensors: dict[str, torch.Tensor]) -> None:
    """Names the number in config.json that disagrees, before the shapes of many tensors would."""
    embeddings = "bert.embeddings"
    places = {
        "vocab_size": (f"{embeddings}.word_embeddings.weight", 0),
        "hidden_size": (f"{embeddings}.word_embeddings.weight", 1),
        "max_position_embeddings": (f"{embeddings}.position_embeddings.weight", 0),
        "type_vocab_size": (f"{embeddings}.token_type_embeddings.weight", 0),
        "intermediate_size": ("bert.encoder.layer.0.intermediate.dense.weight", 0),
    }
    found = {name: tensors[key].shape[axis] for name, (key, axis) in places.items() if _is_matrix(tensors, key)}
    layers = {int(key.split(".")[3]) for key in tensors if key.startswith("bert.encoder.layer.")}
    found["num_hidden_layers"] = max(layers) + 1
    for name, size in found.items():
        if getattr(config, name) != size:
            raise ExportRefused(f"config.json says {name} {getattr(config, name)}, the weights have {size}")
    rows = tensors["classifier.weight"].shape[0] if "classifier.weight" in tensors else len(LABELS)
    if rows != len(LABELS):
        raise ExportRefused(f"the checkpoint's classifier has {rows} labels, sentiment needs {len(LABELS)}")


def _is_matrix(tensors: dict[str, torch.Tensor], key: str) -> bool:
    return key in tensors and tensors[key].dim() == 2


def _check_tensors(expected: dict[str, torch.Tensor], tensors: dict[str, torch.Tensor]) -> None:
    """Exactly 5 + 16 a layer + 4 tensors: embeddings, layers, pooler and classifier."""
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


def _and_more(keys: list[str]) -> str:
    return f" and {len(keys) - 1} more" if len(keys) > 1 else ""
