"""The head of a Siamese model as PyTorch has it: features of two vectors, perhaps BatchNorm, one linear layer.

config.json may hold {"siamese": {"pooling": "mean" | "cls", "features": [...], "normalize": true}}. Without it the
layout is fc(concat(bn1(u), bn2(v))) on mean-pooled vectors that are left at their length.
"""

from pathlib import Path
from typing import Any, cast, get_args

import torch
from torch import nn
from torch.nn import functional

from export.batch_norm import fold_batch_norm, read_batch_norm
from export.json_file import read_json
from export.matcher import FoldedMatcher
from export.refusal import ExportRefused
from structbert_lite.manifest import Feature

FEATURES: tuple[str, ...] = get_args(Feature)
CONCATENATION = ("u", "v")


class SiameseHead(nn.Module):
    """Vectors u and v, float32 [pairs, dimensions] -> one logit for each pair."""

    def __init__(
        self, features: tuple[str, ...], normalize: bool, linear: nn.Linear, batch_norms: tuple[nn.BatchNorm1d, ...]
    ) -> None:
        super().__init__()
        self.features = features
        self.normalize = normalize
        self.linear = linear  # features * dimensions -> 1, or 2, whose difference is the logit
        self.batch_norms = nn.ModuleList(batch_norms)  # none, or one for u and one for v
        self.eval()

    def forward(self, u: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
        if self.normalize:
            u, v = functional.normalize(u, dim=-1), functional.normalize(v, dim=-1)
        if self.batch_norms:
            u, v = self.batch_norms[0](u), self.batch_norms[1](v)
        parts = {"u": u, "v": v, "abs_diff": (u - v).abs(), "product": u * v}
        out: torch.Tensor = self.linear(torch.cat([parts[name] for name in self.features], dim=-1))
        return out[..., -1] - out[..., 0] if out.shape[-1] == 2 else out[..., 0]

    def fold(self) -> FoldedMatcher:
        """The same function without BatchNorm and with one row of weights."""
        weight, bias = self.linear.weight.detach().double().numpy(), self.linear.bias.detach().double().numpy()
        weight, bias = (weight[-1] - weight[0], bias[-1] - bias[0]) if len(weight) == 2 else (weight[0], bias[0])
        weight = weight.reshape(len(self.features), -1).copy()
        for row, layer in enumerate(self.batch_norms):
            # No type says what a ModuleList holds.
            weight[row], shift = fold_batch_norm(cast("nn.BatchNorm1d", layer), weight[row])
            bias += shift
        return FoldedMatcher(weight.astype("float32"), float(bias), self.features, self.normalize)


def read_head(folder: Path, tensors: dict[str, torch.Tensor], width: int) -> SiameseHead:
    """The head of the checkpoint in `folder` from its tensors fc.*, bn1.* and bn2.* on vectors of `width` numbers.

    Raises ExportRefused when one is missing or of another shape, or config.json's siamese section says otherwise.
    """
    tensors = dict(tensors)
    given = read_section(folder)
    has_norms = any(key.startswith(("bn1.", "bn2.")) for key in tensors)
    weight, bias = tensors.pop("fc.weight", None), tensors.pop("fc.bias", None)
    if weight is None or bias is None or weight.dim() != 2:
        raise ExportRefused("the checkpoint lacks fc.weight or fc.bias, a linear layer on the features of two vectors")
    features = _choose_features(given, weight.shape[1] / width, has_norms)
    if len(weight) not in (1, 2) or weight.shape[1] != len(features) * width or bias.shape != (len(weight),):
        raise ExportRefused(
            f"the checkpoint's fc.weight has the shape {list(weight.shape)} and fc.bias {list(bias.shape)}, "
            f"the features {', '.join(features)} of {width} numbers ask for [1 or 2, {len(features) * width}]"
        )
    for key, tensor in (("fc.weight", weight), ("fc.bias", bias)):
        if not tensor.is_floating_point() or not torch.isfinite(tensor).all():
            raise ExportRefused(f"the checkpoint's {key} holds numbers that are not finite")
    linear = nn.Linear(weight.shape[1], len(weight))
    linear.load_state_dict({"weight": weight, "bias": bias})
    norms = tuple(read_batch_norm(tensors, name, width) for name in ("bn1", "bn2")) if has_norms else ()
    if tensors:
        raise ExportRefused(f"the checkpoint has an unexpected key {min(tensors)}")
    return SiameseHead(features, bool(given.get("normalize", False)), linear, norms)


def read_section(folder: Path) -> dict[str, Any]:
    """config.json's siamese section, empty where there is none."""
    section = read_json(folder / "config.json").get("siamese", {})
    if not isinstance(section, dict):
        raise ExportRefused("config.json's siamese section is not an object")
    return section


def _choose_features(given: dict[str, Any], found: float, has_norms: bool) -> tuple[str, ...]:
    """`found`: how many vectors wide fc.weight is."""
    features = given.get("features")
    if features is None and (found == len(CONCATENATION) or has_norms):
        return CONCATENATION
    if not isinstance(features, list) or not features or not all(name in FEATURES for name in features):
        raise ExportRefused(
            f"fc.weight reads {found:g} features; config.json has to name them as siamese.features, "
            f"a list of {', '.join(FEATURES)}"
        )
    if has_norms and tuple(features) != CONCATENATION:
        raise ExportRefused(f"bn1 and bn2 can only be folded in front of the features u, v, not {', '.join(features)}")
    return tuple(features)
