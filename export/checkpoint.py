"""A checkpoint in any of its layouts -> one PyTorch model, with no tolerance for what does not fit."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor, nn
from transformers import PretrainedConfig, PreTrainedModel

from export.architecture import BERT, BERT_UNIGRAM, Architecture
from export.config import PREFIX, read_config
from export.dense import EncoderWithDense, read_dense
from export.keys import Layout, rename_keys
from export.labels import check_purpose, choose_labels, is_multi_label
from export.model import build_model
from export.pooling import choose_pooling
from export.refusal import ExportRefused
from export.sentence_model import read_sentence_model
from export.siamese import SiameseHead, read_head
from export.span.checkpoint import check_span_options, is_span_model, load_span_model
from export.tasks import TASKS, Head, Task
from export.tensors import check_config, check_tensors
from export.weights import digest_weights, find_weights, read_weights


@dataclass(slots=True)
class Checkpoint:
    """A loaded checkpoint. `model` is in evaluation mode, float32, on the CPU."""

    folder: Path
    task: Task
    architecture: Architecture
    config: PretrainedConfig
    model: PreTrainedModel
    head: Head
    siamese: SiameseHead | None  # of a Siamese model: what stands on two of its vectors
    labels: tuple[str, ...]  # in the order of the logits
    label_names: str  # where the checkpoint names its labels
    pooling: str | None  # of an encoder
    layout: str  # for people, e.g. "modelscope, pytorch_model.bin, prefix encoder., head classifier."
    parameters: int
    weights_sha256: str
    dimensions: int | None = None  # of an encoder's vector
    max_tokens: int | None = None  # the longest input that the checkpoint states
    prompt: str = ""  # before every text
    multi_label: bool = False
    reference: nn.Module | None = None  # what parity is checked against, where that is not `model` itself

    @property
    def kind(self) -> str:
        """The manifest's kind."""
        if self.head in (Head.MATCHER, Head.NONE):
            return "encoder"
        return "cross-encoder" if self.task.reads_pairs else "classifier"

    @property
    def reads_pairs(self) -> bool:
        return self.kind == "cross-encoder"

    @property
    def has_prefix(self) -> bool:
        """Whether it was trained to read a text once for all labels."""
        prefix: bool = self.config.prefix_attention
        return prefix

    def drop_models(self) -> None:
        """Gives back their memory, perhaps gigabytes; from now on the checkpoint has no `model`."""
        del self.model
        self.reference = None


def load_checkpoint(
    folder: Path, task: str = "sentiment", labels: Sequence[str] | None = None, pooling: str | None = None
) -> Checkpoint:
    """The checkpoint in `folder`, every tensor of it accounted for. `labels` and `pooling`: what the caller states.

    Raises ExportRefused, with the cause, when a file is damaged, the architecture or the head is not one of the task's,
    a tensor is missing, left over, of another shape or not finite, or the checkpoint's own label names contradict ours.
    """
    wanted = TASKS[task].with_labels(labels or ())
    config, architecture = read_config(folder, wanted.architectures, wanted.logits or 1)
    check_purpose(folder, wanted)
    files = find_weights(folder)
    stored = read_weights(files)
    if Head.SPAN in wanted.heads and is_span_model(stored):
        check_span_options(labels, pooling)
        return _load_span_checkpoint(folder, wanted, config, architecture, files, stored)
    if config.prefix_attention and not (wanted.reads_pairs and architecture in (BERT, BERT_UNIGRAM)):
        raise ExportRefused(f"config.json says {PREFIX}, which is for BERT that reads pairs")
    tensors, keys = rename_keys(stored, wanted, architecture)
    names: tuple[str, ...] = ()
    where = "none"
    if keys.head is Head.CLASSIFIER:
        names, where = choose_labels(folder, wanted, labels)
    elif labels is not None:
        raise ExportRefused("--labels is for classifiers; this checkpoint is an encoder without logits")
    sentence = read_sentence_model(folder)
    chosen = choose_pooling(folder, keys.head, pooling, sentence)
    check_config(config, architecture, wanted, tensors)
    siamese, parts = None, {}
    if keys.head is not Head.CLASSIFIER:
        parts = {key: tensors.pop(key) for key in list(tensors) if not key.startswith(architecture.prefix)}
        tensors = {key.removeprefix(architecture.prefix): tensor for key, tensor in tensors.items()}
    model = build_model(config, architecture, keys.head)
    check_tensors(model.state_dict(), tensors)
    if keys.head is Head.MATCHER:
        siamese = read_head(folder, parts, config.hidden_size)
    model.load_state_dict(tensors, strict=True)
    width = config.hidden_size
    if keys.head is Head.NONE and sentence.dense:
        dense, width = read_dense(sentence.dense, width, chosen)
        model = EncoderWithDense(model, dense)
    return Checkpoint(
        folder=folder,
        task=wanted,
        architecture=architecture,
        config=config,
        model=model.eval(),
        head=keys.head,
        siamese=siamese,
        labels=names,
        label_names=where,
        pooling=chosen,
        layout=_describe_layout(folder, files, keys),
        parameters=sum(tensor.numel() for tensor in model.parameters()),
        weights_sha256=digest_weights(files),
        dimensions=width,
        max_tokens=sentence.max_tokens,
        prompt=sentence.prompt,
        multi_label=is_multi_label(folder, wanted, names),
    )


def _load_span_checkpoint(
    folder: Path,
    wanted: Task,
    config: PretrainedConfig,
    architecture: Architecture,
    files: Sequence[Path],
    stored: dict[str, Tensor],
) -> Checkpoint:
    """One whose published reference marks the span of a label, as the joint model of its task that is served."""
    keys = Layout("plm.", "head_clsf. and tail_clsf.", Head.SPAN)
    joint, published = load_span_model(config, stored, wanted)
    return Checkpoint(
        folder=folder,
        task=wanted,
        architecture=architecture,
        config=config,
        model=joint,
        head=keys.head,
        siamese=None,
        labels=wanted.labels.orders[None],
        label_names="none",
        pooling=None,
        layout=_describe_layout(folder, files, keys),
        parameters=sum(tensor.numel() for tensor in joint.parameters()),
        weights_sha256=digest_weights(files),
        reference=published,
    )


def _describe_layout(folder: Path, files: Sequence[Path], keys: Layout) -> str:
    hub = "modelscope" if (folder / "configuration.json").is_file() else "hugging face"
    weights = files[0].name if len(files) == 1 else f"{len(files)} shards"
    return f"{hub}, {weights}, prefix {keys.prefix or 'none'}, head {keys.spelling or 'none'}"
