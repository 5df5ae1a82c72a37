"""config.json of a checkpoint -> BertConfig; only what decides the numbers is taken over."""

from pathlib import Path

from transformers import BertConfig

from export.json_file import read_json
from export.labels import LABELS
from export.refusal import ExportRefused

SIZES = (
    "vocab_size",
    "hidden_size",
    "num_hidden_layers",
    "num_attention_heads",
    "intermediate_size",
    "max_position_embeddings",
    "type_vocab_size",
)
# StructBERT's config.json often leaves these out; ModelScope's own code then takes these values.
DEFAULTS = {"layer_norm_eps": 1e-12, "pad_token_id": 0}
# None: ModelScope's older checkpoints name no model type at all.
MODEL_TYPES = (None, "bert", "structbert")
ONLY = {"hidden_act": "gelu", "position_embedding_type": "absolute", "is_decoder": False}


def read_config(folder: Path) -> BertConfig:
    """The hyper-parameters of the checkpoint in `folder`, with two labels.

    Raises ExportRefused when a size is missing or unusable, or the architecture is not plain BERT.
    """
    given = read_json(folder / "config.json")
    if not given:
        raise ExportRefused(f"{folder.name} has no config.json")
    if given.get("model_type") not in MODEL_TYPES:
        raise ExportRefused(f"config.json says model_type {given['model_type']}, which is not a BERT model")
    for name, value in ONLY.items():
        if given.get(name, value) != value:
            raise ExportRefused(f"config.json says {name} {given[name]}, only {value} is supported")
    for name in SIZES:
        if type(given.get(name)) is not int or given[name] < 1:
            raise ExportRefused(f"config.json gives no usable {name}: {given.get(name, 'it is missing')}")
    if given["hidden_size"] % given["num_attention_heads"]:
        raise ExportRefused(
            f"config.json says hidden_size {given['hidden_size']}, which {given['num_attention_heads']} "
            "attention heads do not divide"
        )
    chosen = {name: given[name] for name in SIZES} | {name: given.get(name, v) for name, v in DEFAULTS.items()}
    return BertConfig(
        **chosen,
        **ONLY,
        id2label=dict(enumerate(LABELS)),
        label2id={label: index for index, label in enumerate(LABELS)},
        attn_implementation="eager",  # the plain formula is the reference; SDPA differs by up to 1e-6
    )
