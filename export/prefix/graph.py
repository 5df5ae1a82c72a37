"""The graph of a cross-encoder, given keys and values of a text that was read before.

Every layer's attention gets keys and values besides its own, from two inputs that are empty unless they are given, and
its own of the first row are two outputs. So one graph with one set of weights reads a pair as ever, a text by itself,
and labels behind a text: positions go on where the text ended, but for [CLS], which stays in front. Merged decoders of
language models are built the same way.

The scores on the text stand before a label's own: padding stays at the end of a row, where it changes no bit.
"""

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from structbert_lite.manifest import KEYS, PREFIX_KEYS, PREFIX_VALUES, VALUES

POSITIONS = "position_embeddings"  # in the name of the table, as transformers call it


@dataclass(frozen=True, slots=True)
class _Attention:
    """Nodes of one layer: queries times keys, that scaled, its softmax once it is masked, and that times values."""

    scores: onnx.NodeProto
    scaled: onnx.NodeProto
    softmax: onnx.NodeProto
    context: onnx.NodeProto


def add_prefix(model: onnx.ModelProto, heads: int, size: int) -> None:
    """Gives `model`, a BERT that export/convert.py wrote, quantized or not, a place for a text that was read before.

    It has `heads` heads of `size`. Inputs afterwards: also PREFIX_KEYS float32 [layers, heads, size, prefix] and
    PREFIX_VALUES [layers, heads, prefix, size], empty where they are not given; outputs: also KEYS and VALUES, the
    same of the first row. Raises ValueError where the graph is another one.
    """
    _Extender(model.graph).extend(heads, size)


class _Extender:
    def __init__(self, graph: onnx.GraphProto) -> None:
        self.graph = graph
        self.producers = {name: node for node in graph.node for name in node.output}
        self.start: list[onnx.NodeProto] = []
        self.before: dict[int, list[onnx.NodeProto]] = defaultdict(list)  # by the id of the node behind them
        self.end: list[onnx.NodeProto] = []

    def extend(self, heads: int, size: int) -> None:
        layers = [self._find(node) for node in self.graph.node if node.op_type == "Softmax"]
        if not layers:
            raise ValueError("it has no attention")
        own = [layer.scores.input[1] for layer in layers], [layer.context.input[1] for layer in layers]
        shapes, outputs = (
            ([len(layers), heads, size, free], [len(layers), heads, free, size]) for free in ("prefix", "tokens")
        )
        given: list[list[str]] = []
        for name, shape in zip((PREFIX_KEYS, PREFIX_VALUES), shapes, strict=True):
            empty = np.zeros([0 if axis == "prefix" else int(axis) for axis in shape], np.float32)
            self.graph.initializer.append(numpy_helper.from_array(empty, name))
            self.graph.input.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, shape))
            parts = [f"{name}/{i}" for i in range(len(layers))]
            self.start.append(
                helper.make_node("Split", [name], parts, name=f"{name}/split", axis=0, num_outputs=len(layers))
            )
            given.append(parts)
        lengths = self._measure()
        for layer, key, value in zip(layers, *given, strict=True):
            self._attend(layer, key, value, lengths)
        zero, one = self._constant("first", np.array([0])), self._constant("second", np.array([1]))
        for name, parts, shape in zip((KEYS, VALUES), own, outputs, strict=True):
            first = [self._add(self.end, "Slice", [part, zero, one, zero], f"{part}/first") for part in parts]
            self._add(self.end, "Concat", first, name, axis=0)
            self.graph.output.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, shape))
        nodes = [new for node in self.graph.node for new in (*self.before[id(node)], node)]
        del self.graph.node[:]
        self.graph.node.extend([*self.start, *nodes, *self.end])

    def _find(self, softmax: onnx.NodeProto) -> _Attention:
        masked = self._producer(softmax.input[0], "Add")
        scaled = self._producer(masked.input[0], "Div", "Mul")
        readers = [node for node in self.graph.node if softmax.output[0] in node.input]
        if [node.op_type for node in readers] != ["MatMul"]:
            raise ValueError(f"{softmax.name} is read by more than a product")
        return _Attention(self._producer(scaled.input[0], "MatMul"), scaled, softmax, readers[0])

    def _producer(self, name: str, *ops: str) -> onnx.NodeProto:
        node: onnx.NodeProto | None = self.producers.get(name)
        if node is None or node.op_type not in ops:
            raise ValueError(f"{name} does not come from {' or '.join(ops)}")
        return node

    def _measure(self) -> str:
        """Moves positions behind the prefix; returns the name of int64 [2]: tokens of the prefix, and of a row."""
        prefix = self._add(self.start, "Shape", [PREFIX_KEYS], f"{PREFIX_KEYS}/tokens", start=3, end=4)
        row = self._add(self.start, "Shape", [self.graph.input[0].name], "prefix/row", start=1, end=2)
        tables = [n for n in self.graph.node if n.op_type == "Gather" and POSITIONS in n.input[0]]
        if len(tables) != 1:
            raise ValueError(f"it has {len(tables)} tables of positions, not one")
        (table,) = tables
        nodes, one = self.before[id(table)], self._constant("second", np.array([1]))
        less = self._add(nodes, "Sub", [prefix, one], "prefix/less")
        ahead = self._add(nodes, "Max", [less, self._constant("first", np.array([0]))], "prefix/ahead")
        moves = self._add(nodes, "Min", [table.input[1], one], "prefix/moves")  # all but [CLS]
        step = self._add(nodes, "Mul", [moves, ahead], "prefix/step")
        table.input[1] = self._add(nodes, "Add", [table.input[1], step], "prefix/positions")
        return self._add(self.start, "Concat", [prefix, row], "prefix/lengths", axis=0)

    def _attend(self, layer: _Attention, key: str, value: str, lengths: str) -> None:
        nodes, name = self.before[id(layer.softmax)], layer.softmax.name
        scores = self._add(nodes, "MatMul", [layer.scores.input[0], key], f"{name}/prefix_scores")
        scaled = self._add(nodes, layer.scaled.op_type, [scores, layer.scaled.input[1]], f"{name}/prefix_scaled")
        layer.softmax.input[0] = self._add(nodes, "Concat", [scaled, layer.softmax.input[0]], f"{name}/all", axis=3)
        nodes, shares, out = self.before[id(layer.context)], layer.softmax.output[0], layer.context.output[0]
        parts = [f"{shares}/prefix", f"{shares}/own"]
        nodes.append(helper.make_node("Split", [shares, lengths], parts, name=f"{name}/split", axis=3))
        of_prefix = self._add(nodes, "MatMul", [parts[0], value], f"{out}/prefix")
        of_own = self._add(nodes, "MatMul", [parts[1], layer.context.input[1]], f"{out}/own")
        layer.context.op_type = "Add"
        del layer.context.input[:]
        layer.context.input.extend([of_prefix, of_own])

    def _constant(self, name: str, value: np.ndarray) -> str:
        name = f"prefix/{name}"
        if all(tensor.name != name for tensor in self.graph.initializer):
            self.graph.initializer.append(numpy_helper.from_array(value.astype(np.int64), name))
        return name

    @staticmethod
    def _add(nodes: list[onnx.NodeProto], op: str, inputs: list[str], out: str, **attributes: Any) -> str:
        nodes.append(helper.make_node(op, inputs, [out], name=out, **attributes))
        return out
