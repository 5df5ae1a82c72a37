"""config.json of a checkpoint -> transformers' config; only what decides the numbers is taken over."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from transformers import BertConfig, PretrainedConfig, XLMRobertaConfig

from export.architecture import ARCHITECTURES, BERT, BERT_UNIGRAM, Architecture
from export.json_file import read_json
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
NUMBERS = {"layer_norm_eps": (int, float), "pad_token_id": (int,)}  # some architectures have defaults for them
ONLY = {"hidden_act": "gelu", "position_embedding_type": "absolute", "is_decoder": False}
PREFIX = "prefix_attention"  # our own: a text is read once, and labels attend to it
CONFIGS = {"BERT": BertConfig, BERT_UNIGRAM.name: BertConfig, "XLM-RoBERTa": XLMRobertaConfig}


def read_config(
    folder: Path, supported: Sequence[Architecture] = (BERT,), num_labels: int = 2
) -> tuple[PretrainedConfig, Architecture]:
    """The hyper-parameters of the checkpoint in `folder`, with `num_labels` labels, and its architecture.

    Raises ExportRefused when a size is missing or unusable, or the architecture is none of `supported`.
    """
    given = read_json(folder / "config.json")
    if not given:
        raise ExportRefused(f"{folder.name} has no config.json")
    architecture = _find_architecture(given, supported)
    if architecture is BERT and has_unigram_vocabulary(folder):
        architecture = BERT_UNIGRAM
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
    chosen = {name: given[name] for name in SIZES}
    defaults = dict(architecture.defaults)
    for name, kinds in NUMBERS.items():
        if name not in given and name not in defaults:
            raise ExportRefused(f"config.json gives no usable {name}: it is missing")
        chosen[name] = given.get(name, defaults.get(name))
        if type(chosen[name]) not in kinds or chosen[name] < 0:
            raise ExportRefused(f"config.json gives no usable {name}: {chosen[name]}")
    config = CONFIGS[architecture.name](
        **chosen,
        **ONLY,
        num_labels=num_labels,
        attn_implementation="eager",  # the plain formula is the reference; SDPA differs by up to 1e-6
    )
    config.prefix_attention = given.get(PREFIX, False)
    if type(config.prefix_attention) is not bool:
        raise ExportRefused(f"config.json gives no usable {PREFIX}: {config.prefix_attention}")
    return config, architecture


def longest_input(config: PretrainedConfig, architecture: Architecture) -> int:
    """Tokens that the position table has rows for."""
    rows: int = config.max_position_embeddings
    if not architecture.positions_after_pad:
        return rows
    if config.pad_token_id is None:
        raise ExportRefused("the config has no pad_token_id, behind which the positions begin")
    return rows - config.pad_token_id - 1


def has_unigram_vocabulary(folder: Path) -> bool:
    """Whether the tokenizer.json in `folder` is SentencePiece's unigram. Raises ExportRefused when it is no JSON."""
    model = read_json(folder / "tokenizer.json").get("model")
    return isinstance(model, dict) and model.get("type") == "Unigram"


def _find_architecture(given: dict[str, Any], supported: Sequence[Architecture]) -> Architecture:
    model_type = given.get("model_type")
    for architecture in supported:
        if model_type in architecture.model_types:
            return architecture
    names = " or ".join(architecture.name for architecture in supported)
    known = any(model_type in architecture.model_types for architecture in ARCHITECTURES)
    why = "; this task is exported from BERT alone" if known else ""
    raise ExportRefused(f"config.json says model_type {model_type}, which is not a {names} model{why}")
