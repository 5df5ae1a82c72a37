"""The encoders that can be exported: how their weights, inputs and tokenizers are laid out. No torch in here."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Architecture:
    """One encoder as transformers names its parts."""

    name: str
    model_types: tuple[str | None, ...]  # of config.json
    prefix: str  # of the encoder's keys in transformers' classifier
    inputs: tuple[str, ...]  # of the graph, int64 [batch, tokens] each
    pad: str
    unknown: str
    begin: str
    end: str
    positions_after_pad: (
        bool  # its positions count from pad_token_id + 1, so the table reads fewer tokens than it has rows
    )
    defaults: tuple[tuple[str, float], ...]  # what config.json may leave out

    @property
    def special(self) -> tuple[str, ...]:
        return (self.pad, self.unknown, self.begin, self.end)


BERT = Architecture(
    name="BERT",
    model_types=(None, "bert", "structbert"),  # None: ModelScope's older checkpoints name no model type at all
    prefix="bert.",
    inputs=("input_ids", "attention_mask", "token_type_ids"),
    pad="[PAD]",
    unknown="[UNK]",
    begin="[CLS]",
    end="[SEP]",
    positions_after_pad=False,
    # StructBERT's config.json often leaves these out; ModelScope's own code then takes these values.
    defaults=(("layer_norm_eps", 1e-12), ("pad_token_id", 0)),
)
# Multilingual-e5-small and its kind: BERT's layers over SentencePiece's unigram pieces. Pairs have no token types.
BERT_UNIGRAM = Architecture(
    name="BERT with a unigram vocabulary",
    model_types=("bert",),
    prefix="bert.",
    inputs=BERT.inputs,  # the token types are all 0
    pad="<pad>",
    unknown="<unk>",
    begin="<s>",
    end="</s>",
    positions_after_pad=False,
    defaults=(("layer_norm_eps", 1e-12), ("pad_token_id", 0)),
)
XLM_ROBERTA = Architecture(
    name="XLM-RoBERTa",
    model_types=("xlm-roberta",),
    prefix="roberta.",
    inputs=("input_ids", "attention_mask"),
    pad="<pad>",
    unknown="<unk>",
    begin="<s>",
    end="</s>",
    positions_after_pad=True,
    defaults=(("pad_token_id", 1),),  # layer_norm_eps differs between releases, so it has to be stated
)
ARCHITECTURES = (BERT, BERT_UNIGRAM, XLM_ROBERTA)
