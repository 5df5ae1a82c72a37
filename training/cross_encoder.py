"""A cross-encoder reads two texts at once: its start, its batches and its word on pairs."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer
from tqdm import tqdm
from transformers import BertForSequenceClassification

from training.examples import batches
from training.loop import PAD, has_bf16, hide_tokens, pad

Rows = tuple[list[list[int]], list[list[int]]]  # token ids and token types of each pair


def start_cross_encoder(
    base: Path, labels: Sequence[str], seed: int, dropout: float = 0.0, layers: int | None = None
) -> BertForSequenceClassification:
    """The encoder in `base`, or its first `layers`, with a head of one logit a label.

    The head is fresh where `base` has none of that size.
    """
    torch.manual_seed(seed)  # of the head
    return BertForSequenceClassification.from_pretrained(
        base,
        **({} if layers is None else {"num_hidden_layers": layers}),
        num_labels=len(labels),
        id2label=dict(enumerate(labels)),
        label2id={label: i for i, label in enumerate(labels)},
        attn_implementation="eager",  # a training step on a CPU is 1.2 to 1.5 times as fast as with SDPA
        attention_probs_dropout_prob=0.0,
        hidden_dropout_prob=dropout,
        classifier_dropout=0.1,
        ignore_mismatched_sizes=True,  # another run's head
    )


def read_tokenizer(folder: Path) -> Tokenizer:
    """The tokenizer of a checkpoint, without padding."""
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_padding()
    return tokenizer


def encode_pairs(tokenizer: Tokenizer, pairs: Sequence[tuple[str, str]], max_length: int) -> Rows:
    """[CLS] a [SEP] b [SEP], the longer text cut first where both do not fit."""
    tokenizer.enable_truncation(max_length, strategy="longest_first")
    encodings = tokenizer.encode_batch_fast(list(pairs))
    return [e.ids for e in encodings], [e.type_ids for e in encodings]


def logits_of(
    model: BertForSequenceClassification,
    rows: Rows,
    batch: Sequence[int],
    token_mask: float = 0.0,
    tokenizer: Tokenizer | None = None,
) -> torch.Tensor:
    """float32 [len(batch), labels] of the chosen pairs."""
    ids = pad([rows[0][i] for i in batch])
    types = pad([rows[1][i] for i in batch])  # PAD is token type 0 as well
    with torch.autocast("cpu", torch.bfloat16, enabled=has_bf16()):
        seen = (ids != PAD).long()
        return model(
            input_ids=hide_tokens(ids, token_mask, tokenizer), attention_mask=seen, token_type_ids=types
        ).logits.float()


def predict_pairs(
    model: BertForSequenceClassification, tokenizer: Tokenizer, pairs: Sequence[tuple[str, str]], max_length: int
) -> np.ndarray:
    """Logits float32 [len(pairs), labels], computed in bfloat16 where the CPU has it."""
    rows = encode_pairs(tokenizer, pairs, max_length)
    out = np.zeros((len(pairs), model.config.num_labels), np.float32)
    model.eval()
    with torch.inference_mode():
        for batch in tqdm(list(batches([len(r) for r in rows[0]], 8192, None)), leave=False, mininterval=10):
            out[batch] = logits_of(model, rows, batch).numpy()
    return out
