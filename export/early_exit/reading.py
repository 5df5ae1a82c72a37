"""What exits would read of texts, and how long runs take that end at them: one graph with all of that for outputs."""

import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray

from export.early_exit.fit import Floats
from export.early_exit.graph import add_readings
from export.early_exit.layers import Layer
from export.early_exit.rows import Row
from export.last_layer import keep_alive
from export.onnx_file import load_graph
from export.progress import Stage
from structbert_lite.inference.model import padded
from structbert_lite.inference.tokenizer import Encoding, Tokenizer
from structbert_lite.manifest import Manifest

BATCH = 16  # texts
TIMED, ROUNDS = 40, 5  # texts, and how often each is run


def batches(encodings: Sequence[Encoding]) -> list[list[int]]:
    """Places of `encodings`, a few of similar length at a time."""
    order = sorted(range(len(encodings)), key=lambda i: len(encodings[i]))
    return [order[start : start + BATCH] for start in range(0, len(order), BATCH)]


class Probe:
    """The classifier with the readings of each of `layers` for outputs."""

    def __init__(
        self, path: Path, aside: Path, layers: Sequence[Layer], tokenizer: Tokenizer, manifest: Manifest
    ) -> None:
        """`path`: the classifier; `aside`: where its graph with more outputs may be written, in the same folder."""
        self._aside, self._model = aside, load_graph(path)
        self._logits = self._model.graph.output[0].name
        self._names = add_readings(self._model, layers)
        self._tokenizer, self._manifest = tokenizer, manifest

    def read(self, rows: Sequence[Row], stage: Stage) -> tuple[dict[int, Floats], Floats]:
        """(what an exit reads [rows, features], by layers passed from 1 on; the model's logits [rows, labels])."""
        names = [self._logits, *self._names[1:]]
        session = self._open(names)
        encodings = self._tokenizer.encode([row.text for row in rows])
        logits = np.zeros((len(rows), len(self._manifest.labels)))
        read: dict[int, Floats] = {}
        for places in stage.watch(batches(encodings), len(rows)):
            found = session.run(names, self._feed([encodings[i] for i in places]))
            logits[places] = found[0]
            for layer, values in enumerate(found[1:], 1):
                read.setdefault(layer, np.zeros((len(rows), values.shape[1])))[places] = values
        return read, logits

    def time_layers(self, rows: Sequence[Row]) -> list[float]:
        """CPU seconds of runs that end after 0, 1, ... all layers, over the same lone texts: least of some rounds."""
        feeds = [self._feed([found]) for found in self._tokenizer.encode([row.text for row in rows[:TIMED]])]
        return list(np.maximum.accumulate([_time(self._open([end]), feeds) for end in (*self._names, self._logits)]))

    def _open(self, outputs: list[str]) -> onnxruntime.InferenceSession:
        """A session that computes `outputs` and nothing beside them."""
        graph = onnx.ModelProto()
        graph.CopyFrom(self._model)
        kept = [value for value in graph.graph.output if value.name in outputs]
        del graph.graph.output[:]
        graph.graph.output.extend(kept)
        nodes = keep_alive(list(graph.graph.node), graph.graph)
        del graph.graph.node[:]
        graph.graph.node.extend(nodes)
        onnx.save(graph, self._aside)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        return onnxruntime.InferenceSession(
            self._aside, options, providers=["CPUExecutionProvider"], disabled_optimizers=["SkipLayerNormFusion"]
        )

    def _feed(self, encodings: list[Encoding]) -> dict[str, NDArray[np.int64]]:
        columns = padded(encodings, self._manifest.pad_id)
        return {name: columns[name] for name in self._manifest.inputs}


def _time(session: onnxruntime.InferenceSession, feeds: Sequence[dict[str, NDArray[np.int64]]]) -> float:
    names = {node.name for node in session.get_inputs()}
    wanted = [{name: values for name, values in feed.items() if name in names} for feed in feeds]
    rounds = []
    for _ in range(ROUNDS):
        began = time.process_time()
        for feed in wanted:
            session.run(None, feed)
        rounds.append(time.process_time() - began)
    return min(rounds)
