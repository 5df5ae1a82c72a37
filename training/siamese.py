"""A Siamese model: one encoder for two texts, and a linear matcher on |u - v| and u * v (Reimers & Gurevych 2019)."""

import json
import math
import shutil
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer
from torch.nn import functional
from tqdm import tqdm
from transformers import BertConfig, BertModel

from training.base import is_run
from training.examples import batches, encode
from training.loop import PAD, has_bf16, pad

FEATURES = ("abs_diff", "product")
START_SCALE, START_BIAS = 20.0, -14.0  # the first logit is a steep function of the cosine


class Siamese(torch.nn.Module):
    """Mean pooling over the last layer, unit vectors, one logit for a pair."""

    def __init__(self, bert: BertModel) -> None:
        super().__init__()
        self.bert = bert
        width = bert.config.hidden_size
        # The features are scaled to about 1 a dimension, so that these weights learn at the pace of all others.
        self.scales = torch.tensor([math.sqrt(width), float(width)])
        self.fc = torch.nn.Linear(2 * width, 1)
        with torch.no_grad():
            self.fc.weight[:, :width] = 0
            self.fc.weight[:, width:] = START_SCALE / width
            self.fc.bias.fill_(START_BIAS)

    def vectors(self, ids: torch.Tensor, seen: torch.Tensor) -> torch.Tensor:
        """Unit vectors float32 [rows, width] of token ids [rows, tokens]; `seen` is False on padding."""
        with torch.autocast(
            "cpu", torch.bfloat16, enabled=has_bf16() and (self.training or torch.is_inference_mode_enabled())
        ):
            hidden = self.bert(input_ids=ids, attention_mask=seen.long()).last_hidden_state
        hidden = hidden.float() * seen.unsqueeze(-1)
        return functional.normalize(hidden.sum(1) / seen.sum(1, keepdim=True), dim=-1)

    def match(self, u: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
        """Logits float32 [pairs] of two lists of unit vectors."""
        features = torch.cat([(u - v).abs() * self.scales[0], u * v * self.scales[1]], -1)
        return self.fc(features).squeeze(-1)


def load_siamese(folder: Path, layers: int | None = None) -> Siamese:
    """A base encoder, or its first `layers`, with a fresh matcher; or what `save_siamese` wrote."""
    config = BertConfig.from_pretrained(
        folder, attn_implementation="eager", hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0
    )
    config.num_hidden_layers = layers or config.num_hidden_layers
    if not is_run(folder):
        return Siamese(BertModel.from_pretrained(folder, config=config, add_pooling_layer=False))
    model = Siamese(BertModel(config, add_pooling_layer=False))
    tensors = load_file(folder / "model.safetensors")
    tensors["fc.weight"] = _scale(tensors["fc.weight"], 1 / model.scales)
    model.load_state_dict(tensors)
    return model


def save_siamese(model: Siamese, tokenizer: Path, out: Path) -> None:
    """Writes what `python -m export --task similarity` reads: `bert.*`, `fc.*`, and `siamese` in config.json."""
    out.mkdir(parents=True, exist_ok=True)
    tensors = {name: tensor.detach().clone().contiguous() for name, tensor in model.state_dict().items()}
    tensors["fc.weight"] = _scale(tensors["fc.weight"], model.scales)
    save_file(tensors, out / "model.safetensors", {"format": "pt"})
    config = model.bert.config.to_diff_dict() | {
        "siamese": {"pooling": "mean", "features": list(FEATURES), "normalize": True}
    }
    config.pop("_name_or_path", None)
    (out / "config.json").write_text(json.dumps(config, indent=2), encoding="utf-8")
    if tokenizer.resolve() != (out / "tokenizer.json").resolve():
        shutil.copy(tokenizer, out / "tokenizer.json")


def encode_texts(model: Siamese, tokenizer: Tokenizer, texts: list[str], max_length: int = 512) -> np.ndarray:
    """Unit vectors float32 [len(texts), width]."""
    rows = encode(tokenizer, texts, max_length)
    out = np.zeros((len(texts), model.bert.config.hidden_size), np.float32)
    model.eval()
    with torch.inference_mode():
        for batch in tqdm(list(batches([len(r) for r in rows], 8192, None)), leave=False, mininterval=10):
            ids = pad([rows[i] for i in batch])
            out[batch] = model.vectors(ids, ids != PAD).numpy()
    return out


def _scale(weight: torch.Tensor, scales: torch.Tensor) -> torch.Tensor:
    """fc.weight [1, 2 * width] with each feature's part multiplied by its scale."""
    return (weight.view(len(scales), -1) * scales.unsqueeze(1)).view(1, -1)
