"""A text and its labels in one row, in PyTorch: whom each token attends to is in the mask.

What the graph does in two runs, for training and to prove it. [CLS] text [SEP] attends to itself alone. Each label,
[CLS] label [SEP], attends to the text and to itself, never to another label; its positions go on behind the text, but
for its [CLS], whose vector at the end goes to the head.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch

TEXT, NOBODY = 0, -1  # segments: of the text, of padding; labels are 1, 2, ...


@dataclass(frozen=True, slots=True)
class Packed:
    """Token ids, token types, positions and segments, int [tokens] each; `heads`: where each label's [CLS] stands."""

    ids: list[int]
    types: list[int]
    positions: list[int]
    segments: list[int]
    heads: list[int]


def pack(text: Sequence[int], labels: Sequence[Sequence[int]]) -> Packed:
    """Of token ids with the special ones around them."""
    size = len(text)
    packed = Packed([*text], [0] * size, [*range(size)], [TEXT] * size, [])
    for number, label in enumerate(labels, 1):
        packed.heads.append(len(packed.ids))
        packed.ids.extend(label)
        packed.types.extend([0, *[1] * (len(label) - 1)])
        packed.positions.extend([0, *range(size, size + len(label) - 1)])
        packed.segments.extend([number] * len(label))
    return packed


def logits_of_labels(
    model: Any,
    rows: Sequence[Packed],
    change: Callable[[torch.Tensor], torch.Tensor] = lambda ids: ids,
) -> torch.Tensor:
    """`model`: a BertForSequenceClassification.

    Logits [labels of all `rows`, n], row by row; `change` is given the token ids, int64 [rows, tokens].
    """
    segments = _pad([row.segments for row in rows], NOBODY)
    who, whom = segments[:, :, None], segments[:, None, :]
    seen = ((whom == TEXT) | (whom == who)) & (whom != NOBODY)
    vectors = model.bert(
        input_ids=change(_pad([row.ids for row in rows], model.config.pad_token_id)),
        attention_mask=seen.long(),
        token_type_ids=_pad([row.types for row in rows], 0),
        position_ids=_pad([row.positions for row in rows], 0),
    ).last_hidden_state
    first = torch.cat([vectors[number, row.heads] for number, row in enumerate(rows)])
    logits: torch.Tensor = model.classifier(model.dropout(model.bert.pooler(first[:, None])))
    return logits


def _pad(rows: Sequence[Sequence[int]], value: int) -> torch.Tensor:
    longest = max(map(len, rows))
    return torch.tensor([[*row, *[value] * (longest - len(row))] for row in rows])
