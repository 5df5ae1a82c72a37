"""The same function of text and prompt in one input, so that the server runs it as any other cross-encoder."""

import torch
from transformers import BertPreTrainedModel, PretrainedConfig
from transformers.modeling_outputs import SequenceClassifierOutput

from export.span.published import SpanModel, Spans


class JointMatcher(BertPreTrainedModel):
    """Text and prompt side by side; in the lower layers neither sees the other.

    Every operator but attention treats each token by itself, and the prompt's positions follow the text's, so this
    equals encoding the two apart: a mask of two blocks stands for the two runs.
    """

    __module__ = BertPreTrainedModel.__module__  # optimum tells by it that this is one of transformers' models

    def __init__(self, model: SpanModel, spans: Spans, config: PretrainedConfig) -> None:
        """Shares the modules of `model`; `spans`: first and last token of each answer within the text."""
        super().__init__(config)
        self.embeddings = model.plm.embeddings
        self.lower, self.upper = model.plm.encoder, model.crossattention
        self.starts, self.ends = model.head_clsf, model.tail_clsf
        self.answers = len(spans)
        # Firsts, then lasts, in one Gather: export/last_layer.py sees from it which tokens the last layer is for.
        tokens = [first for first, _ in spans] + [last for _, last in spans]
        self.register_buffer("tokens", torch.tensor(tokens), persistent=False)
        self.train(False)  # as eval, which transformers has without types

    def forward(
        self, input_ids: torch.Tensor, attention_mask: torch.Tensor, token_type_ids: torch.Tensor
    ) -> SequenceClassifierOutput:
        """int64 [batch, tokens] each, text (token type 0) then prompt (1), padded -> logits [batch, answers]."""
        hidden = self.embeddings(input_ids=input_ids, token_type_ids=token_type_ids)
        known = attention_mask[:, None, None, :]
        same = token_type_ids[:, None, :, None] == token_type_ids[:, None, None, :]
        hidden = self.lower(hidden, attention_mask=_hide(known * same, hidden))[0]
        hidden = self.upper(hidden, attention_mask=_hide(known, hidden))[0]
        chosen = hidden.index_select(1, self.tokens)
        logits = self.starts(chosen[:, : self.answers]) + self.ends(chosen[:, self.answers :])
        return SequenceClassifierOutput(logits=logits.squeeze(-1))


def _hide(seen: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    """What is added to attention scores: 0 where `seen` is 1, the least number where it is 0."""
    return (1.0 - seen.to(like.dtype)) * torch.finfo(like.dtype).min
