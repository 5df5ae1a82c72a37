"""Checkpoints with random weights for the tasks that read pairs, beside make_checkpoint's classifiers."""

import json
from collections.abc import Sequence
from pathlib import Path

import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import BertModel, XLMRobertaConfig, XLMRobertaForSequenceClassification

from export.texts import DEFAULT_TEXTS, PARITY_TEXTS, read_texts
from tests.export.make_checkpoint import make_model

OURS = {"pooling": "mean", "features": ["abs_diff", "product"], "normalize": True}
HIDDEN = 32


def make_encoder(seed: int = 0, **sizes: int) -> BertModel:
    """A BERT encoder without a pooler."""
    encoder = make_model(seed=seed, **sizes).bert
    encoder.pooler = None
    return encoder


def make_head(features: int, outputs: int = 1, seed: int = 1) -> dict[str, torch.Tensor]:
    """fc.weight and fc.bias on `features` vectors."""
    torch.manual_seed(seed)
    return {"fc.weight": torch.randn(outputs, features * HIDDEN), "fc.bias": torch.randn(outputs)}


def make_batch_norm(name: str, seed: int = 2) -> dict[str, torch.Tensor]:
    """A BatchNorm1d that has seen batches."""
    torch.manual_seed(seed + len(name) + ord(name[-1]))
    layer = torch.nn.BatchNorm1d(HIDDEN).train()
    torch.nn.init.normal_(layer.weight)
    torch.nn.init.normal_(layer.bias)
    for _ in range(20):
        layer(2 * torch.randn(16, HIDDEN) + 1)
    return {f"{name}.{key}": value for key, value in layer.state_dict().items()}


def write_encoder(
    out: Path,
    encoder: BertModel,
    tokenizer: str,
    head: dict[str, torch.Tensor] | None = None,
    siamese: dict | None = None,
    prefix: str = "bert.",
) -> Path:
    """Writes a Hugging Face folder: the encoder's tensors under `prefix`, the head's as they are."""
    encoder.save_pretrained(out)
    tensors = {prefix + key: value.contiguous() for key, value in encoder.state_dict().items()}
    save_file(tensors | (head or {}), out / "model.safetensors")
    if siamese is not None:
        config = json.loads((out / "config.json").read_text("utf-8"))
        (out / "config.json").write_text(json.dumps(config | {"siamese": siamese}), "utf-8")
    (out / "tokenizer.json").write_text(tokenizer, "utf-8")
    return out


def make_xlm_roberta(vocabulary: int = 800, hidden: int = 32, layers: int = 2, heads: int = 4, positions: int = 66):
    """bge-reranker's architecture with random weights."""
    torch.manual_seed(0)
    config = XLMRobertaConfig(
        vocab_size=vocabulary,
        hidden_size=hidden,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        intermediate_size=4 * hidden,
        max_position_embeddings=positions,
        type_vocab_size=1,
        layer_norm_eps=1e-5,
        num_labels=1,
        initializer_range=1 / hidden**0.5,
        attn_implementation="eager",
    )
    return XLMRobertaForSequenceClassification(config).eval()


def make_unigram(size: int = 800) -> Tokenizer:
    """A SentencePiece-like tokenizer in XLM-RoBERTa's form: <s> A </s>, and <s> A </s></s> B </s>."""
    characters = sorted({c for text in (*read_texts(DEFAULT_TEXTS), *PARITY_TEXTS) for c in text if not c.isspace()})
    pieces = ["<s>", "<pad>", "</s>", "<unk>", "▁", *characters]
    pieces = (pieces + [f"<filler{i}>" for i in range(size)])[:size]
    tokenizer = Tokenizer(models.Unigram([(piece, -float(i)) for i, piece in enumerate(pieces)], unk_id=3))
    tokenizer.normalizer = normalizers.NFKC()
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> </s> $B </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    tokenizer.add_special_tokens(["<s>", "<pad>", "</s>", "<unk>"])
    return tokenizer


def write_xlm_roberta(
    out: Path, model: XLMRobertaForSequenceClassification, tokenizer: Tokenizer, shards: str | None = None
) -> Path:
    """Writes a Hugging Face folder; `shards`: the largest size of one, e.g. "20KB"."""
    model.save_pretrained(out, **({"max_shard_size": shards} if shards else {}))
    tokenizer.save(str(out / "tokenizer.json"))
    return out


def write_pairs(path: Path, rows: Sequence[tuple[str, str, int]]) -> Path:
    """A TSV for --calibration."""
    lines = ["text_a\ttext_b\tlabel", *(f"{a}\t{b}\t{label}" for a, b, label in rows)]
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path
