"""siamese-uninlu checkpoints with random weights in the true layout.

python -m tests.export.span.make_span_checkpoint --layers 12 --hidden 768 --heads 12 --positions 512 --out DIR
"""

import json
from pathlib import Path

import click
import torch
from transformers import BertConfig, BertModel

from tests.export.make_checkpoint import FACTS, LEFT_OUT, make_model, make_vocabulary

CROSS_LAYERS = 6


def make_span_model(
    layers: int = 8, hidden: int = 32, heads: int = 4, vocabulary: int = 2000, positions: int = 96, seed: int = 0
) -> tuple[BertModel, dict[str, torch.nn.Linear]]:
    """A whole BERT and the two pointers."""
    model = make_model(layers, hidden, heads, vocabulary, positions=positions, seed=seed).bert
    return model, {name: torch.nn.Linear(hidden, 1).requires_grad_(False) for name in ("head_clsf", "tail_clsf")}


def split_model(model: BertModel, pointers: dict[str, torch.nn.Linear]) -> dict[str, torch.Tensor]:
    """A state dict with ModelScope's keys: the BERT cut in two, with its buffer of positions."""
    below = model.config.num_hidden_layers - CROSS_LAYERS
    tensors = {"plm.embeddings.position_ids": torch.arange(model.config.max_position_embeddings)[None]}
    for key, value in model.state_dict().items():
        parts = key.split(".")
        if parts[0] == "encoder" and int(parts[2]) >= below:
            name = ".".join(["crossattention", "layer", str(int(parts[2]) - below), *parts[3:]])
        else:
            name = f"plm.{key}"
        tensors[name] = value.clone()
    for pointer, layer in pointers.items():
        tensors |= {f"{pointer}.{key}": value.clone() for key, value in layer.state_dict().items()}
    return tensors


def write_span_model(out: Path, tensors: dict[str, torch.Tensor], config: BertConfig, vocabulary: list[str]) -> Path:
    """Writes a folder as ModelScope lays one out."""
    out.mkdir(parents=True, exist_ok=True)
    configuration = {
        "framework": "pytorch",
        "task": "siamese-uie",
        "model": {"type": "bert"},
        "preprocessor": {"type": "siamese-uie-preprocessor"},
        "pipeline": {"type": "siamese-uie"},
    }
    facts = {name: getattr(config, name) for name in FACTS} | LEFT_OUT | {"model_type": "bert"}
    (out / "config.json").write_text(json.dumps(facts, indent=2), "utf-8")
    (out / "configuration.json").write_text(json.dumps(configuration, indent=2), "utf-8")
    (out / "vocab.txt").write_bytes("".join(f"{token}\n" for token in vocabulary).encode())
    torch.save(tensors, out / "pytorch_model.bin")
    return out


def make_span_vocabulary(size: int) -> list[str]:
    """As make_vocabulary, with the characters of the question in place of the last ones."""
    words = make_vocabulary(size)
    absent = [c for c in "相似,不|&文本匹配:" if c not in words]
    return words[: size - len(absent)] + absent


@click.command(help=__doc__)
@click.option("--layers", type=int, default=8, show_default=True)
@click.option("--hidden", type=int, default=32, show_default=True)
@click.option("--heads", type=int, default=4, show_default=True)
@click.option("--positions", type=int, default=96, show_default=True)
@click.option("--out", type=click.Path(path_type=Path), required=True)
def main(layers: int, hidden: int, heads: int, positions: int, out: Path) -> None:
    model, pointers = make_span_model(layers, hidden, heads, 21128, positions)
    write_span_model(out, split_model(model, pointers), model.config, make_span_vocabulary(21128))


if __name__ == "__main__":
    main()
