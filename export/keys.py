"""The spellings of a state dict, mapped to transformers' BertForSequenceClassification or its XLM-RoBERTa sister.

StructBERT's modules are BERT's; only the names around them differ. ModelScope's first release kept the
encoder under `encoder.`, later ones and Hugging Face under `bert.`, a bare backbone under nothing; its
newer ModelForTextClassification puts the classifier under `head.`. A Siamese model has no classifier but a linear
layer `fc` on two vectors, perhaps behind `bn1` and `bn2`.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass

import torch

from export.architecture import BERT, Architecture
from export.refusal import ExportRefused
from export.tasks import Head, Task

WRAPPERS = re.compile(r"^((module|model|network)\.)+")  # DataParallel and ModelScope's trainers
BACKBONE = ("embeddings.", "encoder.", "pooler.")
CLASSIFIERS = ("head.classifier.", "classifier.")
MATCHER = ("fc.", "bn1.", "bn2.")
# Buffers, pre-training heads and adversarial training's own tensors: no part of the model.
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
    """How the keys are spelled; `prefix` and `spelling` are empty or end in a dot. `head`: what was found."""

    prefix: str
    spelling: str
    head: Head


def rename_keys(
    tensors: dict[str, torch.Tensor], task: Task, architecture: Architecture = BERT
) -> tuple[dict[str, torch.Tensor], Layout]:
    """The same tensors under transformers' keys (a matcher's under their own), and the spelling that was found.

    An encoder without a classifier loses its pooler, which nothing reads.
    Raises ExportRefused when the keys are another architecture's, or the head is not one of the task's, or a key
    has no place.
    """
    keys = {key: WRAPPERS.sub("", key) for key in tensors}
    prefix = _find_prefix(keys.values(), architecture, task)
    head = _find_head(keys.values(), task)
    spelling = next((s for s in CLASSIFIERS if any(key.startswith(s) for key in keys.values())), "")
    renamed: dict[str, torch.Tensor] = {}
    for stored, key in keys.items():
        if DROPPED.search(key):
            continue
        new = _rename(key, prefix, spelling, architecture)
        if new.startswith(f"{architecture.prefix}pooler.") and (
            head is not Head.CLASSIFIER or architecture.prefix != BERT.prefix
        ):
            continue
        if new in renamed:
            raise ExportRefused(f"the checkpoint holds {new} twice")
        renamed[new] = tensors[stored]
    return renamed, Layout(prefix, spelling or ("fc." if head is Head.MATCHER else ""), head)


def _find_prefix(keys: Collection[str], architecture: Architecture, task: Task) -> str:
    for start, name in OTHERS.items():
        if start != architecture.prefix and any(key.startswith(start) for key in keys):
            hint = "; siamese-uninlu is exported by --task similarity" if start == "plm." else ""
            raise ExportRefused(f"the checkpoint is {name} (its keys start with {start}), not a BERT classifier{hint}")
    # In this order: in a bare backbone `encoder.` is a module of BERT, not a prefix.
    for prefix in ("encoder.", "bert.", "") if architecture.prefix == BERT.prefix else (architecture.prefix,):
        if any(key.startswith(f"{prefix}encoder.layer.") for key in keys):
            return prefix
    first = next(iter(keys), "missing")
    raise ExportRefused(f"the checkpoint is not {_an(architecture.name)} model: its first key is {first}")


def _find_head(keys: Collection[str], task: Task) -> Head:
    """The head that the keys show. Raises ExportRefused when the task has no use for it."""
    found = Head.NONE
    if any(key.startswith(CLASSIFIERS) for key in keys):
        found = Head.CLASSIFIER
    elif any(key.startswith(MATCHER) for key in keys):
        found = Head.MATCHER
    if found in task.heads:
        return found
    raise ExportRefused(
        {
            Head.NONE: "the checkpoint is an encoder without a classifier; it has to be fine-tuned first",
            Head.MATCHER: "the checkpoint is a Siamese similarity model (it has fc.weight), exported by --task "
            "similarity; that model gives embeddings as well",
            Head.CLASSIFIER: f"the checkpoint has a classifier, so its tokens are not trained to be vectors, which "
            f"--task {task.name} needs",
        }[found]
    )


def _rename(key: str, prefix: str, spelling: str, architecture: Architecture) -> str:
    rest = key.removeprefix(prefix)
    if key.startswith(prefix) and rest.startswith(BACKBONE):
        return architecture.prefix + re.sub(r"LayerNorm\.(gamma|beta)$", _layer_norm, rest)
    if spelling and key.startswith(spelling):
        return "classifier." + key.removeprefix(spelling)
    if not spelling and key.startswith(MATCHER):
        return key
    raise ExportRefused(f"the checkpoint has an unexpected key {key}")


def _layer_norm(match: re.Match[str]) -> str:
    return "LayerNorm." + {"gamma": "weight", "beta": "bias"}[match[1]]


def _an(name: str) -> str:
    return f"an {name}" if name[0] in "AEIX" else f"a {name}"
