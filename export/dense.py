"""Dense layers of sentence-transformers behind an encoder: `2_Dense`, between pooling and the vector.

They are applied to each token's vector, in the graph. For [CLS] that is the same; for the mean it is where the layers
are affine, for a mean of affine images is the affine image of the mean. Otherwise they are refused.
"""

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import nn
from transformers import BertPreTrainedModel, PreTrainedModel
from transformers.modeling_outputs import BaseModelOutput

from export.json_file import read_json
from export.refusal import ExportRefused
from export.tensors import check_tensors
from export.weights import find_weights, read_weights

ACTIVATIONS: dict[str, type[nn.Module]] = {"Identity": nn.Identity, "Tanh": nn.Tanh}


def read_dense(folders: Sequence[Path], width: int, pooling: str | None) -> tuple[nn.Sequential, int]:
    """(all layers, how many numbers come out) of the Dense modules in `folders`, for vectors of `width` numbers.

    Raises ExportRefused when one is incomplete, takes another width, or cannot be exported.
    """
    layers: list[nn.Module] = []
    for folder in folders:
        linear, activation = _read_module(folder, width, pooling)
        layers += [linear, activation]
        width = linear.out_features
    return nn.Sequential(*layers), width


def _read_module(folder: Path, width: int, pooling: str | None) -> tuple[nn.Linear, nn.Module]:
    given = read_json(folder / "config.json")
    sizes = given.get("in_features"), given.get("out_features")
    taken, made = (size if type(size) is int and size > 0 else 0 for size in sizes)
    if not taken or not made:
        raise ExportRefused(f"{folder.name}/config.json gives no in_features and out_features")
    if taken != width:
        raise ExportRefused(f"{folder.name} takes {taken} numbers and gets {width}")
    for side in ("input", "output"):
        if (place := given.get(f"module_{side}_name")) not in (None, "sentence_embedding"):
            raise ExportRefused(f"{folder.name} has the {side} {place}; only sentence_embedding can be exported")
    name = str(given.get("activation_function", "torch.nn.modules.activation.Tanh")).rsplit(".", 1)[-1]
    if name not in ACTIVATIONS:
        raise ExportRefused(
            f"{folder.name} has the activation {name}; only {' and '.join(ACTIVATIONS)} can be exported"
        )
    if pooling != "cls" and name != "Identity":
        raise ExportRefused(
            f"{folder.name} has the activation {name} behind the mean of all tokens; only behind cls can it be exported"
        )
    linear = nn.Linear(taken, made, bias=bool(given.get("bias", True)))
    tensors = {key.removeprefix("linear."): value for key, value in read_weights(find_weights(folder)).items()}
    named = ({f"{folder.name}.{key}": value for key, value in held.items()} for held in (linear.state_dict(), tensors))
    check_tensors(*named)
    linear.load_state_dict(tensors, strict=True)
    return linear, ACTIVATIONS[name]()


class EncoderWithDense(BertPreTrainedModel):
    """BERT and what stands behind it, for one vector a token."""

    __module__ = BertPreTrainedModel.__module__  # optimum tells by it that this is one of transformers' models

    def __init__(self, encoder: PreTrainedModel, dense: nn.Sequential) -> None:
        super().__init__(encoder.config)
        self.encoder, self.dense = encoder, dense
        self.train(False)

    def forward(
        self, input_ids: torch.Tensor, attention_mask: torch.Tensor, token_type_ids: torch.Tensor
    ) -> BaseModelOutput:
        """int64 [batch, tokens] each -> vectors float32 [batch, tokens, dimensions]."""
        hidden = self.encoder(input_ids=input_ids, attention_mask=attention_mask, token_type_ids=token_type_ids)[0]
        return BaseModelOutput(last_hidden_state=self.dense(hidden))
