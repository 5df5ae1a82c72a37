"""siamese-uie and siamese-uninlu as ModelScope runs them: text and prompt are encoded apart, then read together.

After modelscope/models/nlp/bert/siamese_uie.py (SiameseUieModel) and modelscope/pipelines/nlp/siamese_uie_pipeline.py
(SiameseUiePipeline) in github.com/modelscope/modelscope. Module names are those of its state dict.
"""

from copy import deepcopy
from typing import cast

import torch
from torch import nn
from transformers import BertConfig, BertModel
from transformers.modeling_outputs import SequenceClassifierOutput
from transformers.models.bert.modeling_bert import BertEncoder

CROSS_LAYERS = 6  # SiameseUieModel.set_crossattention_layer: the last six layers read text and prompt together

# First and last token of each answer within the text.
Spans = tuple[tuple[int, int], ...]


class SpanModel(nn.Module):
    """A BERT of N layers, the last CROSS_LAYERS of them in a part of their own, and two pointers."""

    def __init__(self, config: BertConfig) -> None:
        """`config` is the whole BERT's, with more than CROSS_LAYERS layers."""
        super().__init__()
        below, above = deepcopy(config), deepcopy(config)
        below.num_hidden_layers -= CROSS_LAYERS
        above.num_hidden_layers = CROSS_LAYERS
        self.plm = BertModel(below, add_pooling_layer=True)  # its pooler is in the checkpoint; nothing reads it
        self.crossattention = BertEncoder(above)
        self.head_clsf = nn.Linear(config.hidden_size, 1)
        self.tail_clsf = nn.Linear(config.hidden_size, 1)

    def forward(self, text_ids: torch.Tensor, prompt_ids: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """int64 [1, t] and [1, p], [CLS] and [SEP] in each -> logits of starts and ends, float32 [t] each."""
        text = self.plm(text_ids, attention_mask=torch.ones_like(text_ids))[0]
        places = torch.arange(prompt_ids.shape[1])[None] + text_ids.shape[1]
        ones = torch.ones_like(prompt_ids)
        prompt = self.plm(prompt_ids, attention_mask=ones, token_type_ids=ones, position_ids=places)[0]
        together = torch.cat([text, prompt], dim=1)
        mask = self.plm.get_extended_attention_mask(torch.ones(together.shape[:2]), together.shape[:2])
        together = self.crossattention(together, attention_mask=mask)[0]
        found = together[0, : text_ids.shape[1]]
        return self.head_clsf(found)[:, 0], self.tail_clsf(found)[:, 0]


class PublishedMatcher(nn.Module):
    """The logit of each answer, from one separate run of the model for each row: slow, and plainly the original."""

    def __init__(self, model: SpanModel, spans: Spans) -> None:
        super().__init__()
        self.model = model
        self.spans = spans
        self.eval()

    def forward(
        self, input_ids: torch.Tensor, attention_mask: torch.Tensor, token_type_ids: torch.Tensor
    ) -> SequenceClassifierOutput:
        """int64 [batch, tokens] each, text (token type 0) then prompt (1), padded -> logits [batch, answers].

        An answer's logit is that of its first token as a start plus that of its last as an end: the score of a span in
        extractive question answering (Devlin et al. 2019, section 4.2).
        """
        rows = []
        for ids, mask, types in zip(input_ids, attention_mask, token_type_ids, strict=True):
            parts = [ids[(mask == 1) & (types == part)][None] for part in (0, 1)]
            starts, ends = self.model(*parts)
            rows.append(torch.stack([starts[first] + ends[last] for first, last in self.spans]))
        # transformers declares the type that PyTorch had before 0.4.
        return SequenceClassifierOutput(logits=cast("torch.FloatTensor", torch.stack(rows)))
