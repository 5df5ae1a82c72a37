"""The empty PyTorch model that a checkpoint's tensors are put into."""

from transformers import (
    BertForSequenceClassification,
    BertModel,
    PretrainedConfig,
    PreTrainedModel,
    XLMRobertaForSequenceClassification,
    XLMRobertaModel,
)
from transformers.modeling_utils import no_init_weights

from export.architecture import BERT, Architecture
from export.tasks import Head


def build_model(config: PretrainedConfig, architecture: Architecture, head: Head) -> PreTrainedModel:
    """A classifier, or an encoder without a pooler; its numbers are arbitrary.

    Random ones would take longer than the checkpoint takes to be read.
    """
    bert = architecture.prefix == BERT.prefix
    with no_init_weights():
        if head is Head.CLASSIFIER:
            return (BertForSequenceClassification if bert else XLMRobertaForSequenceClassification)(config)
        return (BertModel if bert else XLMRobertaModel)(config, add_pooling_layer=False)
