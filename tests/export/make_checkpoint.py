"""Checkpoints with random weights in the true layouts, for tests and for measuring speed.

python -m tests.export.make_checkpoint --layers 12 --hidden 768 --heads 12 --out DIR
"""

import json
from pathlib import Path

import click
import torch
from transformers import BertConfig, BertForSequenceClassification

from export.texts import DEFAULT_TEXTS, PARITY_TEXTS, read_texts

SPECIAL = {0: "[PAD]", 100: "[UNK]", 101: "[CLS]", 102: "[SEP]", 103: "[MASK]"}  # bert-base-chinese's ids
BLANK_LINE, LINE_SEPARATOR = 110, 111  # bert-base-chinese holds U+2028; some StructBERT vocabularies blank lines
# As sentence-similarity-base's config.json: no model_type, no layer_norm_eps, no pad_token_id.
LEFT_OUT = {"base_model_prefix": "encoder", "directionality": "bidi", "pooler_type": "first_token_transform"}

FACTS = (
    "attention_probs_dropout_prob",
    "hidden_act",
    "hidden_dropout_prob",
    "hidden_size",
    "initializer_range",
    "intermediate_size",
    "max_position_embeddings",
    "num_attention_heads",
    "num_hidden_layers",
    "type_vocab_size",
    "vocab_size",
)


def make_vocabulary(size: int) -> list[str]:
    """Lines of a vocab.txt: BERT's special tokens, ASCII, the characters of the check texts, then fillers."""
    characters = sorted(
        {c for text in (*read_texts(DEFAULT_TEXTS), *PARITY_TEXTS) for c in text.lower() if not c.isspace()}
    )
    ascii_ = [chr(code) for code in range(33, 127) if not chr(code).isupper()]
    words = [w for c in dict.fromkeys([*ascii_, *characters]) for w in (c, f"##{c}")]
    head = [SPECIAL.get(i, f"[unused{i}]") for i in range(110)] + ["", "\u2028"]
    return (head + words + [f"[filler{i}]" for i in range(size)])[:size]


def make_model(
    layers: int = 2,
    hidden: int = 32,
    heads: int = 4,
    vocabulary: int = 2000,
    labels: int = 2,
    positions: int = 64,
    seed: int = 0,
) -> BertForSequenceClassification:
    """A BERT classifier with random weights, large enough that its logits differ from text to text."""
    torch.manual_seed(seed)
    config = BertConfig(
        vocab_size=vocabulary,
        hidden_size=hidden,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        intermediate_size=4 * hidden,
        max_position_embeddings=positions,
        num_labels=labels,
        initializer_range=1 / hidden**0.5,
        attn_implementation="eager",
    )
    return BertForSequenceClassification(config).eval()


def spell_keys(
    model: BertForSequenceClassification,
    prefix: str = "encoder.",
    head: str = "classifier.",
    wrapper: str = "",
    old_names: bool = False,
) -> dict[str, torch.Tensor]:
    """The model's tensors under a ModelScope checkpoint's keys, the position_ids buffer included."""
    tensors = {}
    for key, value in model.state_dict().items():
        name = prefix + key.removeprefix("bert.") if key.startswith("bert.") else head + key.removeprefix("classifier.")
        if old_names:
            name = name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta")
        tensors[wrapper + name] = value.clone()
    positions = model.config.max_position_embeddings
    return tensors | {f"{wrapper}{prefix}embeddings.position_ids": torch.arange(positions)[None]}


def write_modelscope(
    out: Path, model: BertForSequenceClassification, vocabulary: list[str], **spelling: object
) -> Path:
    """Writes `model` as ModelScope lays a checkpoint out, with label_mapping.json and vocab.txt."""
    out.mkdir(parents=True, exist_ok=True)
    config = {name: getattr(model.config, name) for name in FACTS} | LEFT_OUT
    configuration = {
        "framework": "pytorch",
        "task": "text-classification",
        "model": {"type": "text-classification", "backbone": {"type": "structbert", "prefix": "encoder"}},
        "preprocessor": {"type": "sen-cls-tokenizer", "first_sequence": "sentence"},
        "pipeline": {"type": "text-classification"},
    }
    (out / "config.json").write_text(json.dumps(config, indent=2), encoding="utf-8")
    (out / "configuration.json").write_text(json.dumps(configuration, indent=2), encoding="utf-8")
    (out / "label_mapping.json").write_text(json.dumps({"负面": 0, "正面": 1}, ensure_ascii=False), encoding="utf-8")
    (out / "vocab.txt").write_bytes("".join(f"{token}\n" for token in vocabulary).encode())
    torch.save(spell_keys(model, **spelling), out / "pytorch_model.bin")
    return out


def write_hugging_face(out: Path, model: BertForSequenceClassification, tokenizer: str) -> Path:
    """Writes `model` as transformers does, with the text of a tokenizer.json."""
    model.config.id2label, model.config.label2id = {0: "Negative", 1: "Positive"}, {"Negative": 0, "Positive": 1}
    model.save_pretrained(out)
    (out / "tokenizer.json").write_text(tokenizer, encoding="utf-8")
    return out


def read_vocabulary(tokenizer: Path) -> list[str]:
    """The lines of a vocab.txt from a tokenizer.json."""
    ids = json.loads(tokenizer.read_text(encoding="utf-8"))["model"]["vocab"]
    lines = [""] * (max(ids.values()) + 1)
    for token, index in ids.items():
        lines[index] = token
    return lines


@click.command(help=__doc__)
@click.option("--layers", type=int, default=2, show_default=True)
@click.option("--hidden", type=int, default=32, show_default=True)
@click.option("--heads", type=int, default=4, show_default=True)
@click.option("--positions", type=int, default=512, show_default=True)
@click.option(
    "--vocabulary",
    type=click.Path(exists=True, path_type=Path),
    help="A tokenizer.json to take it from.  [default: 21128 made ones]",
)
@click.option("--prefix", default="encoder.", show_default=True)
@click.option("--head", default="classifier.", show_default=True)
@click.option("--out", type=click.Path(path_type=Path), required=True)
def main(
    layers: int, hidden: int, heads: int, positions: int, vocabulary: Path | None, prefix: str, head: str, out: Path
) -> None:
    words = read_vocabulary(vocabulary) if vocabulary else make_vocabulary(21128)
    model = make_model(layers, hidden, heads, len(words), positions=positions)
    write_modelscope(out, model, words, prefix=prefix, head=head)


if __name__ == "__main__":
    main()
