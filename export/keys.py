"""The spellings of a StructBERT state dict, mapped to transformers' BertForSequenceClassification.

StructBERT's modules are BERT's; only the names around them differ. ModelScope's first release kept the
encoder under `encoder.`, later ones and Hugging Face under `bert.`, a bare backbone under nothing; its
newer ModelForTextClassification puts the classifier under `head.`.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass

import torch

from export.refusal import ExportRefused

WRAPPERS = re.compile(r"^((module|model|network)\.)+")  # DataParallel and ModelScope's trainers
BACKBONE = ("embeddings.", "encoder.", "pooler.")
HEADS = ("head.classifier.", "classifier.")
# Buffers, pre-training heads and adversarial training's own tensors: no part of the classifier.
DROPPED = re.compile(r"\.(position_ids|token_type_ids)$|^(cls|lm_head)\.|(^|[._])adv")
OTHERS = {
    "roberta.": "an XLM-RoBERTa or RoBERTa model",
    "plm.": "a siamese-uie or siamese-uninlu span extractor",
    "distilbert.": "a DistilBERT model",
    "albert.": "an ALBERT model",
    "electra.": "an ELECTRA model",
}


@dataclass(frozen=True, slots=True)
class Layout:
    """How the keys are spelled; both are empty or end in a dot."""

    prefix: str
    head: str


def rename_keys(tensors: dict[str, torch.Tensor]) -> tuple[dict[str, torch.Tensor], Layout]:
    """The same tensors under BertForSequenceClassification's keys, and the spelling that was found.

    Raises ExportRefused when the keys are another architecture's, or there is no classifier, or a key
    has no place in one.
    """
    keys = {key: WRAPPERS.sub("", key) for key in tensors}
    prefix = _find_prefix(keys.values())
    head = next((head for head in HEADS if any(key.startswith(head) for key in keys.values())), None)
    if head is None:
        raise ExportRefused("the checkpoint is an encoder without a classifier; it has to be fine-tuned first")
    renamed: dict[str, torch.Tensor] = {}
    for stored, key in keys.items():
        if DROPPED.search(key):
            continue
        new = _rename(key, prefix, head)
        if new in renamed:
            raise ExportRefused(f"the checkpoint holds {new} twice")
        renamed[new] = tensors[stored]
    return renamed, Layout(prefix, head)


def _find_prefix(keys: Collection[str]) -> str:
    for start, name in OTHERS.items():
        if any(key.startswith(start) for key in keys):
            raise ExportRefused(f"the checkpoint is {name} (its keys start with {start}), not a BERT classifier")
    # In this order: in a bare backbone `encoder.` is a module of BERT, not a prefix.
    for prefix in ("encoder.", "bert.", ""):
        if any(key.startswith(f"{prefix}encoder.layer.") for key in keys):
            return prefix
    raise ExportRefused(f"the checkpoint is not a BERT model: its first key is {next(iter(keys), 'missing')}")


def _rename(key: str, prefix: str, head: str) -> str:
    rest = key.removeprefix(prefix)
    if key.startswith(prefix) and rest.startswith(BACKBONE):
        return "bert." + re.sub(r"LayerNorm\.(gamma|beta)$", _layer_norm, rest)
    if key.startswith(head):
        return "classifier." + key.removeprefix(head)
    raise ExportRefused(f"the checkpoint has an unexpected key {key}")


def _layer_norm(match: re.Match[str]) -> str:
    return "LayerNorm." + {"gamma": "weight", "beta": "bias"}[match[1]]
