"""A base encoder out of a Hugging Face folder: multilingual-e5-small's own layout, or a BERT with WordPiece."""

import json
from pathlib import Path

from tokenizers import Tokenizer

from export.config import SIZES
from export.json_file import read_json
from export.licence import UNKNOWN, read_licence
from export.source import Source
from export.weights import digest_weights, find_weights, read_weights
from training.base.source import Pretrained
from training.base.vocabulary import fold_wordpiece

CONFIG = (*(name for name in SIZES if name != "vocab_size"), "layer_norm_eps")  # the vocabulary gets another size


def read(source: Source) -> Pretrained:
    """A BERT with a unigram vocabulary. Raises ExportRefused when the weights cannot be read."""
    config = read_json(source.folder / "config.json")
    spec = read_json(source.folder / "tokenizer.json")
    files = find_weights(source.folder)
    prefixes = ("embeddings.", "encoder.")
    state = {key: tensor.float() for key, tensor in read_weights(files).items() if key.startswith(prefixes)}
    state.pop("embeddings.position_ids", None)
    return Pretrained(
        name=source.name,
        licence=read_licence(source.folder),
        sha256=digest_weights(files),
        config={key: config[key] for key in CONFIG},
        state=state,
        pieces=[(piece, score) for piece, score in spec["model"]["vocab"]],
        normalize=Tokenizer.from_file(str(source.folder / "tokenizer.json")).normalizer.normalize_str,
    )


def copy(source: Source, out: Path) -> Path:
    """A Chinese BERT as it is, its tokenizer folding as ours does."""
    from training.base import FACTS, write

    files = find_weights(source.folder)
    config = read_json(source.folder / "config.json")
    out.mkdir(parents=True, exist_ok=True)
    tensors = {key.removeprefix("bert."): tensor.float() for key, tensor in read_weights(files).items()}
    kept = {k: t for k, t in tensors.items() if k.startswith(("embeddings.", "encoder.")) and "position_ids" not in k}
    write(
        out,
        kept,
        {"model_type": "bert", "architectures": ["BertModel"], **{key: config[key] for key in (*CONFIG, "vocab_size")}},
    )
    spec = fold_wordpiece(read_json(source.folder / "tokenizer.json"))
    (out / "tokenizer.json").write_text(json.dumps(spec, ensure_ascii=False), encoding="utf-8")
    licence = read_licence(source.folder)
    facts = {
        "name": source.name,
        "licence": licence if licence != UNKNOWN else "not stated",
        "sha256": digest_weights(files),
    }
    (out / FACTS).write_text(json.dumps(facts, indent=2), encoding="utf-8")
    return out
