"""A siamese-uie or siamese-uninlu checkpoint -> the joint model and the published one, every tensor accounted for."""

import re
from collections.abc import Collection, Sequence
from dataclasses import replace

import torch
from transformers import BertConfig, PretrainedConfig
from transformers.modeling_utils import no_init_weights

from export.architecture import BERT
from export.refusal import ExportRefused
from export.span.joint import JointMatcher
from export.span.prompt import SPANS
from export.span.published import CROSS_LAYERS, PublishedMatcher, SpanModel
from export.tasks import Task
from export.tasks.similarity import LABELS
from export.tensors import check_config, check_tensors

WRAPPERS = re.compile(r"^((module|model|network)\.)+")
DROPPED = re.compile(r"\.(position_ids|token_type_ids)$")  # buffers, in files of older releases
PREFIX = "plm."


def is_span_model(keys: Collection[str]) -> bool:
    """Whether keys of a state dict are those of siamese-uie and siamese-uninlu."""
    return any(WRAPPERS.sub("", key).startswith(PREFIX) for key in keys)


def load_span_model(
    config: PretrainedConfig, tensors: dict[str, torch.Tensor], task: Task
) -> tuple[JointMatcher, PublishedMatcher]:
    """Both models on one set of tensors, in evaluation mode; `config` is the whole BERT's.

    Raises ExportRefused, with the cause, when config.json and the weights disagree, the layers are not divided as
    ModelScope does it, or a tensor is missing, left over, of another shape or not finite.
    """
    if not isinstance(config, BertConfig):
        raise ExportRefused(f"a span extractor stands on BERT, config.json says model_type {config.model_type}")
    tensors = _rename(tensors)
    lower, upper = _count_layers(tensors, "plm.encoder.layer."), _count_layers(tensors, "crossattention.layer.")
    if upper != CROSS_LAYERS:
        raise ExportRefused(f"the checkpoint has {upper} layers in crossattention, {CROSS_LAYERS} are known")
    if config.num_hidden_layers != lower + upper or not lower:
        raise ExportRefused(
            f"config.json says num_hidden_layers {config.num_hidden_layers}, the weights have {lower} and {upper}"
        )
    below = BertConfig.from_dict(config.to_dict() | {"num_hidden_layers": lower})
    check_config(below, replace(BERT, prefix=PREFIX), task, tensors)
    with no_init_weights():
        model = SpanModel(config)
    check_tensors(model.state_dict(), tensors)
    model.load_state_dict(tensors, strict=True)
    return JointMatcher(model.eval(), SPANS, config), PublishedMatcher(model, SPANS)


def check_span_options(labels: Sequence[str] | None, pooling: str | None) -> None:
    """Raises ExportRefused for what the caller may not choose here."""
    if labels is not None and tuple(labels) != LABELS:
        raise ExportRefused(f"--labels says {', '.join(labels)}, checkpoints of this kind have {', '.join(LABELS)}")
    if pooling is not None:
        raise ExportRefused("--pooling is for encoders; a span extractor reads the tokens of its answers")


def _rename(tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    renamed: dict[str, torch.Tensor] = {}
    for stored, tensor in tensors.items():
        key = WRAPPERS.sub("", stored)
        if DROPPED.search(key):
            continue
        key = re.sub(r"LayerNorm\.gamma$", "LayerNorm.weight", re.sub(r"LayerNorm\.beta$", "LayerNorm.bias", key))
        if key in renamed:
            raise ExportRefused(f"the checkpoint holds {key} twice")
        renamed[key] = tensor
    return renamed


def _count_layers(keys: Collection[str], prefix: str) -> int:
    numbers = {key.removeprefix(prefix).split(".")[0] for key in keys if key.startswith(prefix)}
    return len(numbers)
