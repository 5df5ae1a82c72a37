"""A model by itself: its tokenizer, its graph in onnxruntime, and the pooling of what the graph gives.

Who serves it puts a cache and a queue around it (runner.py), who scores a file does not (bulk_runner.py).
"""

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

# onnxruntime's wheels report usage to Microsoft; this is read when the library is loaded.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

import onnxruntime as ort

from structbert_lite import __version__
from structbert_lite.errors import InvalidModel
from structbert_lite.inference.prefix import CACHE_BYTES, KeysAndValues, Prefix, PrefixCache, encode_behind
from structbert_lite.inference.prepacked import PrepackedGraphs
from structbert_lite.inference.resources import cpu_facts
from structbert_lite.inference.tokenizer import Encoding, Tokenizer
from structbert_lite.manifest import (
    EXIT_LAYER,
    EXIT_SWITCH,
    KEYS,
    MANIFEST_NAME,
    MODEL_NAME,
    PREFIX_KEYS,
    PREFIX_VALUES,
    TOKENIZER_NAME,
    VALUES,
    Manifest,
    check_files,
    read_manifest,
)

ort.disable_telemetry_events()
ort.set_default_logger_severity(3)

# Another version may compute other last digits.
RUNTIME = f"onnxruntime {ort.__version__}"

# What a graph has to answer with the same bits before and after it is written anew.
PROOF = ["好", "这家店的菜很好吃，服务也不错，下次还会再来。"]

# What a model reads at once: a text, or a pair of texts.
Input = tuple[str] | tuple[str, str]
# Told after how many layers each row of a run left: int64 [rows].
OnExits = Callable[[NDArray[np.int64]], None]


class Session:
    """A loaded graph with int64 inputs [batch, tokens] and one float32 output [batch, ...].

    A graph with exits has another output, EXIT_LAYER, and a switch for an input; one for prefixes takes the keys and
    values of a text and gives those of what it reads.

    Several threads may call `run` at the same time, each run on its caller's thread. Make it in the
    serving process, never before a fork: onnxruntime's threads do not survive one.
    """

    def __init__(
        self,
        path: Path,
        inputs: tuple[str, ...],
        pad_id: int,
        prepack: Path | None = None,
        prepacked: bool = False,
        early_exit: bool = True,
        prefix_bytes: int = CACHE_BYTES,
    ) -> None:
        """`prepack`: where the graph is written as it was loaded, for this machine only; `prepacked`: it is such a one.

        `early_exit`: whether rows leave at the graph's exits, where it has any. `prefix_bytes`: for texts that were
        read, where it takes prefixes.

        Raises InvalidModel.
        """
        options = ort.SessionOptions()
        # Each run stays on its caller's thread: the graph's small operators split badly, and runs side
        # by side use the cores better. docs/benchmarks.md has the figures.
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        # Without the arena every buffer comes from malloc, which may give its pages back to the kernel and fault
        # them in again at each operator: the same run was seen to take five times as long.
        options.enable_cpu_mem_arena = True
        options.enable_mem_pattern = False  # every new input shape would leave a memory plan behind
        # Looking for outputs that could take over each other's buffers was two thirds of the time to load a model, and
        # finds nothing that the arena does not: runs take the same time and the same memory without.
        options.enable_mem_reuse = False
        if prepack:
            options.optimized_model_filepath = str(prepack)
            for name, value in {
                "optimized_model_external_initializers_file_name": f"{prepack.name}.data",
                "optimized_model_external_initializers_min_size_in_bytes": "1024",
                "save_external_prepacked_constant_initializers": "1",
            }.items():
                options.add_session_config_entry(f"session.{name}", value)
        if prepacked:
            options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
        try:
            # onnxruntime's SkipLayerNormalization is slower on a CPU than Add and LayerNormalization.
            self._session = ort.InferenceSession(
                str(path), options, providers=["CPUExecutionProvider"], disabled_optimizers=["SkipLayerNormFusion"]
            )
        except Exception as error:  # onnxruntime's exceptions share no base class
            raise InvalidModel(f"{path} cannot be loaded: {error}") from None
        names = {node.name for node in self._session.get_inputs()}
        if names != set(inputs):
            raise InvalidModel(f"{path} has the inputs {sorted(names)}, its manifest says {sorted(inputs)}")
        first, *others = (node.name for node in self._session.get_outputs())
        if others not in ([], [EXIT_LAYER], [KEYS, VALUES]):
            raise InvalidModel(f"{path} has {1 + len(others)} outputs, not one")
        self.exits_early = early_exit and others == [EXIT_LAYER]
        self.takes_prefix = others == [KEYS, VALUES]
        self._output, self._has_exits = first, others == [EXIT_LAYER]
        self._prefixes = PrefixCache(prefix_bytes)
        self._inputs = inputs
        self._pad_id = pad_id

    def run(self, encodings: list[Encoding], on_exits: OnExits | None = None) -> NDArray[np.float32]:
        """float32 [len(encodings), ...]; pads to the longest. Raises whatever onnxruntime raises.

        `on_exits` is called where rows may leave early. The `encodings` fit with each other.
        """
        feed = self._feed(encodings)
        may_leave = self.exits_early and not encodings[0].all_layers
        if self._has_exits:
            feed[EXIT_SWITCH] = np.array(may_leave)
        if prefix := encodings[0].prefix:
            feed[PREFIX_KEYS], feed[PREFIX_VALUES] = self._prefixes.get(prefix, self._read)
        output: NDArray[np.float32]
        wanted = [self._output, EXIT_LAYER] if may_leave else [self._output]
        output, *layers = self._session.run(wanted, feed)
        if on_exits and layers:
            on_exits(layers[0])
        return output

    def _read(self, prefix: Prefix) -> KeysAndValues:
        """By itself, never padded: nothing that is computed of it knows what else is asked."""
        alone = Encoding(list(prefix), [0] * len(prefix), truncated=False)
        keys, values = self._session.run([KEYS, VALUES], self._feed([alone]))
        return keys, values

    def _feed(self, encodings: list[Encoding]) -> dict[str, NDArray[np.generic]]:
        columns = padded(encodings, self._pad_id)
        return {name: columns[name] for name in self._inputs}


def padded(encodings: Sequence[Encoding], pad_id: int) -> dict[str, NDArray[np.int64]]:
    """What a graph may take, int64 [len(encodings), tokens of the longest] each."""
    shape = len(encodings), max(map(len, encodings))
    columns = {
        "input_ids": np.full(shape, pad_id, np.int64),
        "attention_mask": np.zeros(shape, np.int64),
        "token_type_ids": np.zeros(shape, np.int64),
    }
    for row, encoding in enumerate(encodings):
        columns["input_ids"][row, : len(encoding)] = encoding.ids
        columns["attention_mask"][row, : len(encoding)] = 1
        columns["token_type_ids"][row, : len(encoding)] = encoding.type_ids
    return columns


class Model:
    """A loaded model. Nothing in it is queued, cached or counted; several threads may call `infer` at the same time."""

    def __init__(self, folder: Path, manifest: Manifest, tokenizer: Tokenizer, session: Session) -> None:
        self.folder, self.manifest, self.tokenizer = folder, manifest, tokenizer
        self._session = session
        # A manifest that says encoder has both of these.
        self._pooling, dimensions = (
            (manifest.pooling, manifest.dimensions) if manifest.kind == "encoder" else (None, None)
        )
        self.width = dimensions or len(manifest.labels) or 1

    @classmethod
    def load(
        cls,
        folder: Path,
        manifest: Manifest | None = None,
        file: Path | None = None,
        prepacked: PrepackedGraphs | None = None,
        early_exit: bool = True,
        prefix_bytes: int = CACHE_BYTES,
    ) -> Self:
        """The model in `folder`, its files' digests checked; `file` is run in place of its graph.

        With `prepacked` its weights are those that lie there, in memory that processes share. Without `early_exit`
        every text passes all layers. `prefix_bytes`: for texts that are read once for all that is asked about them.

        Runs once: a graph whose rows are not what the manifest promises would give wrong answers, not errors.
        Raises InvalidModel with the file's name.
        """
        manifest = manifest or read_manifest(folder)
        check_files(folder, manifest)
        path = file or folder / MODEL_NAME
        tokenizer = Tokenizer(folder / TOKENIZER_NAME, manifest.max_tokens)
        if manifest.kind == "cross-encoder" and tokenizer.room_for_two < 2:
            raise InvalidModel(
                f"{folder / MANIFEST_NAME}: max_tokens {manifest.max_tokens} leaves no room for two texts"
            )
        options: dict[str, Any] = {"early_exit": early_exit, "prefix_bytes": prefix_bytes}
        session = _open_prepacked(path, manifest, tokenizer, prepacked, options) if prepacked else None
        session = session or Session(path, manifest.inputs, manifest.pad_id, **options)
        if session.takes_prefix != manifest.prefix:
            raise InvalidModel(f"{path}: the manifest says prefix {manifest.prefix}, the graph says otherwise")
        model = cls(folder, manifest, tokenizer, session)
        try:
            shape = model.infer([model.short_input()]).shape
        except Exception as error:  # onnxruntime's exceptions share no base class
            raise InvalidModel(f"{path} cannot be run: {error}") from None
        if shape != (1, model.width):
            raise InvalidModel(f"{path} gives {list(shape)} for one input, its manifest says {[1, model.width]}")
        return model

    def fingerprint(self, all_layers: bool = False, read_once: bool = False) -> str:
        """Everything that decides an output.

        Two folders may hold the same files and differ in the rest, and replicas that share a cache may run different
        versions.
        """
        facts = self.manifest
        exits = " early exits" if self._session.exits_early and not all_layers else ""
        prefix = " prefix" if read_once and self._session.takes_prefix else ""
        return f"{__version__} {RUNTIME} {facts.digest} {facts.max_tokens} {facts.pooling}{exits}{prefix}"

    def tokenize(self, inputs: Sequence[Input], all_layers: bool = False, read_once: bool = False) -> list[Encoding]:
        """The encoding of each input, in order; with `all_layers` they pass by the model's early exits.

        With `read_once` the first of each pair is read once for all that stand behind it, by a model made for that.
        """
        if read_once and self._session.takes_prefix:
            return encode_behind(self.tokenizer, [(fields[0], fields[-1]) for fields in inputs])
        found = self.tokenizer.encode([fields if len(fields) == 2 else fields[0] for fields in inputs])
        return [replace(encoding, all_layers=True) for encoding in found] if all_layers else found

    def infer(self, encodings: list[Encoding], on_exits: OnExits | None = None) -> NDArray[np.float32]:
        """float32 [len(encodings), width], on the caller's thread.

        A classifier's and a cross-encoder's row is its logits, an encoder's the pooled vector, not of unit length.
        `on_exits` is told where rows left, of a model that exits early. The `encodings` fit with each other.
        Raises whatever onnxruntime raises.
        """
        output = self._session.run(encodings, on_exits)
        return output if self._pooling is None else pool(output, list(map(len, encodings)), self._pooling)

    def short_input(self) -> Encoding:
        """Something to run where only that it runs matters."""
        fields: Input = ("好",)
        if self.manifest.kind == "cross-encoder":
            template = self.manifest.pair_template
            fields = template.fill("好", "好") if template else ("好", "好")
        (encoding,) = self.tokenize([fields])
        return encoding


def _open_prepacked(
    path: Path, manifest: Manifest, tokenizer: Tokenizer, graphs: PrepackedGraphs, options: dict[str, Any]
) -> Session | None:
    """The graph in `path` from `graphs`, made first where it is not there; None where neither can be done."""

    def make(to: Path) -> None:
        made = Session(path, manifest.inputs, manifest.pad_id, prepack=to)
        kept = Session(to, manifest.inputs, manifest.pad_id, prepacked=True)  # not where a full disk cut it off
        proof = tokenizer.encode(PROOF)
        if made.run(proof).tobytes() != kept.run(proof).tobytes():
            raise InvalidModel(f"{to} gives other bits than {path}")

    facts = f"{__version__} {RUNTIME} {manifest.digest} {cpu_facts()}"
    key = sha256(facts.encode()).hexdigest()[:32]
    found = graphs.find(key, 2 * sum(fact.bytes for fact in manifest.files.values()), make)
    try:
        if found is None:
            return None
        return Session(found, manifest.inputs, manifest.pad_id, prepacked=True, **options)
    except InvalidModel as error:  # another process has just removed it
        graphs.report(error)
        return None


def pool(output: NDArray[np.float32], lengths: list[int], pooling: Literal["mean", "cls"]) -> NDArray[np.float32]:
    """float32 [rows, dimensions] of a graph's float32 [rows, tokens, dimensions].

    "mean": over a row's own `lengths[i]` tokens, special ones included; "cls": its first token. An output that is
    [rows, dimensions] already stays as it is.
    """
    if output.ndim == 2:
        return output
    if pooling == "cls":
        return output[:, 0]
    # Row by row over what is the row's own, so that neither padding nor neighbours can change a bit.
    rows = [vectors[:length].mean(axis=0, dtype=np.float64) for vectors, length in zip(output, lengths, strict=True)]
    return np.array(rows, np.float32)


def unit_length(vector: NDArray[np.floating]) -> NDArray[np.float64]:
    """float64 [dimensions] of Euclidean length 1 in the vector's direction; a vector of zeros stays what it is."""
    wide = vector.astype(np.float64)
    length = float(np.sqrt((wide * wide).sum()))
    return wide / length if length > 0 else wide
