"""The model that a fine-tuning starts from: any BERT checkpoint under a new head."""

import json
from collections.abc import Sequence
from pathlib import Path

import torch
from tokenizers import Tokenizer
from transformers import BertForSequenceClassification

from export.architecture import BERT
from export.config import longest_input, read_config
from export.keys import WRAPPERS, rename_keys
from export.licence import UNKNOWN, read_licence
from export.tasks import Head, Task
from export.tensors import check_config, check_tensors
from export.texts import PARITY_TEXTS
from export.tokenizer import write_tokenizer
from export.weights import find_weights, read_weights
from structbert_lite.errors import InvalidModel
from structbert_lite.settings import PROJECT
from training.base import FACTS, is_base, make_base
from training.finetune.refusal import FinetuneRefused
from training.loop import PAD
from training.recover import recover_encoder

# Whatever stands on the encoder is dropped, so any head will do.
ANY = Task(name="fine-tuning", heads=tuple(Head), modelscope=(), title="")
POOLER = ("pooler.dense.weight", "pooler.dense.bias")


def find_base(folder: Path | None) -> Path:
    """`folder` itself, or the encoder of the default sentiment model, read back into runs/base from the repository.

    Where that model was replaced by another, the default models' base encoder, made in runs/base-12. Raises
    FinetuneRefused when there is no such folder or the download fails.
    """
    if folder is not None:
        if not folder.is_dir():
            raise FinetuneRefused(f"--base {folder} is no folder; download the checkpoint first and give its folder")
        return folder
    try:
        return recover_encoder(PROJECT / "models" / "sentiment", Path("runs/base"))
    except (RuntimeError, InvalidModel):
        pass
    try:
        return make_base(Path("runs/base-12"))
    except RuntimeError as error:
        raise FinetuneRefused(f"{error} Or give the folder of another BERT checkpoint with --base") from None


def start_model(
    base: Path, labels: Sequence[str], tokenizer: Path, max_tokens: int, dropout: float, seed: int
) -> tuple[BertForSequenceClassification, Tokenizer]:
    """The encoder in `base` with a fresh head for `labels`, and its tokenizer, written to `tokenizer`.

    `base` may be in any layout that the exporter reads, with a head of its own, which is dropped. Raises ExportRefused
    for a damaged or other checkpoint, and FinetuneRefused.
    """
    config, architecture = read_config(base, (BERT,), len(labels))
    longest = longest_input(config, architecture)
    if max_tokens > longest:
        raise FinetuneRefused(f"--max-tokens {max_tokens} is more than {base.name} can read, which is {longest}")
    stored = read_weights(find_weights(base))
    tensors, layout = rename_keys(stored, ANY, architecture)
    tensors = {key: tensor for key, tensor in tensors.items() if key.startswith("bert.")}
    # The exporter drops an encoder's pooler, which no encoder's task reads; a classifier does.
    plain = {WRAPPERS.sub("", key).removeprefix(layout.prefix): tensor for key, tensor in stored.items()}
    tensors |= {f"bert.{key}": plain[key] for key in POOLER if key in plain}
    check_config(config, architecture, ANY, tensors)
    config.id2label, config.label2id = dict(enumerate(labels)), {label: i for i, label in enumerate(labels)}
    config.attention_probs_dropout_prob, config.hidden_dropout_prob, config.classifier_dropout = 0.0, dropout, 0.1
    torch.manual_seed(seed)  # of the head
    model = BertForSequenceClassification(config)
    fresh = {key for key in model.state_dict() if not key.startswith("bert.") or key.removeprefix("bert.") in POOLER}
    check_tensors({k: v for k, v in model.state_dict().items() if k not in fresh or k in tensors}, tensors)
    model.load_state_dict(tensors, strict=False)
    write_tokenizer(base, tokenizer, config.vocab_size, PARITY_TEXTS, architecture)
    words = Tokenizer.from_file(str(tokenizer))
    if (found := words.token_to_id(architecture.pad)) != PAD:
        raise FinetuneRefused(f"{base.name} has padding at {found} of its vocabulary, not at {PAD}")
    words.no_padding()
    return model, words


def name_of(base: Path) -> str:
    """What the base is called in a card."""
    return _facts(base).get("name", base.resolve().name)


def licence_of(base: Path) -> str:
    """What the base allows, in one line; the data's own terms come on top."""
    if is_base(base):
        return f"that of the training data; the base encoder's is {_facts(base)['licence']}"
    stated = read_licence(base)
    return stated if stated != UNKNOWN else f"that of {base.name}, which does not state one"


def _facts(base: Path) -> dict[str, str]:
    return json.loads((base / FACTS).read_text("utf-8")) if is_base(base) else {}
