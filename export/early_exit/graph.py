"""Exits inside the graph: whoever is clear leaves, and the layers behind run on the rows that are left.

After a layer the head gives each row's logits and whether it may leave. The rows that stay are gathered into a batch of
their own, go through the layers behind in the branch of an `If`, and are scattered back into their places; where none
stays, nothing behind runs. So the graph is one, each weight is there once, and the model is a file like any other, with
a second output (how many layers each row passed) and a switch: the input `early_exit`, true where it is not given.

Nothing that a head computes knows its batch or its padding. The mean over a row's tokens is a sum of the integers that
the next layer reads, which is exact in any order; the products with the head's columns are a multiplication and a sum
along a row; there is no Log, whose last bits depend on an element's place.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from export.early_exit.layers import Layer
from export.early_exit.rules import Room, ThreeWay
from structbert_lite.manifest import EXIT_LAYER, EXIT_SWITCH

MASK = "attention_mask"


@dataclass(frozen=True, slots=True)
class Exit:
    """A head after `layer`, and how sure it has to be.

    `weight`: float32 [labels, 2 * hidden], of [CLS] and of the mean of the integers; `bias`: float32 [labels].
    """

    layer: Layer
    weight: NDArray[np.float32]
    bias: NDArray[np.float32]
    room: Room


def add_exits(model: onnx.ModelProto, exits: Sequence[Exit], layers: int, rule: ThreeWay | None) -> None:
    """Puts `exits` into the quantized classifier `model` of `layers` layers, in place.

    Outputs afterwards: the logits float32 [batch, labels], and EXIT_LAYER int64 [batch]. Raises ValueError where what
    is behind an exit needs more than its vectors and the mask.
    """
    graph = model.graph
    _Cutter(graph, layers, rule).cut_all(sorted(exits, key=lambda found: found.layer.passed))
    graph.initializer.append(numpy_helper.from_array(np.array(True), EXIT_SWITCH))
    graph.input.append(helper.make_tensor_value_info(EXIT_SWITCH, TensorProto.BOOL, []))
    graph.output.append(helper.make_tensor_value_info(EXIT_LAYER, TensorProto.INT64, [_batch_name(graph)]))


def add_readings(model: onnx.ModelProto, layers: Iterable[Layer]) -> list[str]:
    """Makes what exits after `layers` would read outputs of `model`: names of float32 [batch, 2 * hidden] each."""
    cutter = _Cutter(model.graph, 0, None)
    names = [cutter.read(layer) for layer in layers]
    model.graph.node.extend(cutter.new)
    model.graph.output.extend(helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in names)
    return names


class _Cutter:
    def __init__(self, graph: onnx.GraphProto, layers: int, rule: ThreeWay | None) -> None:
        self.graph, self.layers, self.rule = graph, layers, rule
        self.new: list[onnx.NodeProto] = []
        self.mask = MASK

    def cut_all(self, exits: Sequence[Exit]) -> None:
        logits = self.graph.output[0].name
        given = {node.name: {node.name} for node in self.graph.input}
        nodes = self._cut(list(self.graph.node), exits, (logits, EXIT_LAYER), given, "")
        del self.graph.node[:], self.graph.value_info[:]
        self.graph.node.extend(nodes)

    def read(self, layer: Layer) -> str:
        """What an exit after `layer` reads: [CLS], and the mean of a row's own integers."""
        name = f"exit/{layer.passed}"
        first = self._add("Gather", [layer.vectors, self._constant("first", np.int64(0))], f"{name}/cls", axis=1)
        own = self._add("Cast", [self.mask], f"{name}/own", to=TensorProto.UINT8)
        one = self._constant("one", np.array([1]))
        own = self._add("Unsqueeze", [own, one], f"{name}/row")
        zeros = self._constant("no_offset", np.uint8(0)), self._constant("zero_point", np.uint8(128))
        total = self._add("MatMulInteger", [own, layer.integers, *zeros], f"{name}/integer_sum")
        total = self._add(
            "Squeeze", [self._add("Cast", [total], f"{name}/wide", to=TensorProto.FLOAT), one], f"{name}/sum"
        )
        count = self._add("ReduceSum", [self.mask, one], f"{name}/tokens", keepdims=1)
        count = self._add("Cast", [count], f"{name}/count", to=TensorProto.FLOAT)
        mean = self._add("Div", [total, count], f"{name}/mean")
        return self._add("Concat", [first, mean], f"{name}/read", axis=1)

    def _cut(
        self,
        nodes: list[onnx.NodeProto],
        exits: Sequence[Exit],
        outputs: tuple[str, str],
        given: dict[str, set[str]],
        rows: str,
    ) -> list[onnx.NodeProto]:
        """`nodes` with `exits` in them, so that they make `outputs`, logits and layers passed.

        `given`: what rows have of their own and `nodes` get, and what of the graph's inputs it was made of; `rows`: the
        shape [batch] of it.
        """
        logits, layer = outputs
        if not exits:
            passed = self._constant("all", np.array([self.layers]))
            return [*nodes, helper.make_node("Expand", [passed, rows], [layer], name=layer)]
        found, place = exits[0], f"exit/{exits[0].layer.passed}"
        behind = _behind(nodes, found.layer)
        kept = set(map(id, behind))
        before = [node for node in nodes if id(node) not in kept]

        self.new = []
        head = self._head(found, self.read(found.layer))
        leaves = self._leaves(found.room, head, place)
        stays = self._add("Not", [self._add("And", [leaves, EXIT_SWITCH], f"{place}/leaves")], f"{place}/stays")
        last = self._constant("last", np.array([-1]))
        places = self._add("Transpose", [self._add("NonZero", [stays], f"{place}/nonzero")], f"{place}/places")
        index = self._add("Squeeze", [places, last], f"{place}/index")
        count = self._add("Shape", [index], f"{place}/left")
        some = self._add("Greater", [count, self._constant("none", np.array([0]))], f"{place}/some_left")
        some = self._add("Squeeze", [some], f"{place}/any_left")
        batch = self._add("Shape", [leaves], f"{place}/batch")
        passed = self._constant(f"passed_{found.layer.passed}", np.array([found.layer.passed]))
        passed = self._add("Expand", [passed, batch], f"{place}/passed")
        before += self.new

        gathered, taken = [], {}
        for name, sources in self._crossing(before, behind, found.layer, given, bool(exits[1:])).items():
            left = f"left_{found.layer.passed}/{name}"
            gathered.append(helper.make_node("Gather", [name, index], [left], name=left, axis=0))
            _rename(behind, name, left)
            taken[left] = sources
            if name == self.mask:
                self.mask = left
        produced = {name for node in behind for name in node.output}
        if logits not in produced:
            raise ValueError(f"{logits} does not come from the layer after {found.layer.passed}")
        inner = f"{place}/behind/logits", f"{place}/behind/layer"
        _rename_output(behind, logits, inner[0])
        body = [*gathered, *self._cut(behind, exits[1:], inner, taken, count)]
        out = f"{place}/then/logits", f"{place}/then/layer"
        body += [
            helper.make_node("ScatterND", [old, places, new], [made], name=made)
            for old, new, made in zip((head, passed), inner, out, strict=True)
        ]
        other = f"{place}/else/logits", f"{place}/else/layer"
        same = [
            helper.make_node("Identity", [old], [made], name=made)
            for old, made in zip((head, passed), other, strict=True)
        ]
        branches = [_branch(body, out, f"{place}/then"), _branch(same, other, f"{place}/else")]
        names = {"then_branch": branches[0], "else_branch": branches[1]}
        return [*before, helper.make_node("If", [some], [logits, layer], name=f"{place}/if", **names)]

    def _head(self, found: Exit, read: str) -> str:
        name = f"exit/{found.layer.passed}"
        wide = self._add("Unsqueeze", [read, self._constant("one", np.array([1]))], f"{name}/read_wide")
        terms = self._add("Mul", [wide, self._constant(f"{name}/weight", found.weight)], f"{name}/terms")
        last = self._constant("last", np.array([-1]))
        total = self._add("ReduceSum", [terms, last], f"{name}/products", keepdims=0)
        return self._add("Add", [total, self._constant(f"{name}/bias", found.bias)], f"{name}/logits")

    def _leaves(self, room: Room, logits: str, place: str) -> str:
        """Bool [batch]: every answer has its room, as `clearance` says."""
        two = self._constant("two", np.array([2]))
        top = f"{place}/top"
        self.new.append(helper.make_node("TopK", [logits, two], [top, f"{place}/which"], name=top))
        best, next_best = self._columns(top, 2)
        clear = self._compare("Greater", self._add("Sub", [best, next_best], f"{place}/ahead"), room.label)
        if self.rule is not None:
            columns = self._columns(logits, len(self.rule.places))
            clear = self._both(
                "And", clear, self._verdict(room, [columns[i] for i in self.rule.places], self.rule, place)
            )
        return self._add("Squeeze", [clear, self._constant("one", np.array([1]))], f"{place}/clear")

    def _verdict(self, room: Room, columns: list[str], rule: ThreeWay, place: str) -> str:
        """Bool [batch, 1]: the better opinion has its room, and so has what `uncertain` says."""
        against, none, for_it = columns
        d = self._add("Abs", [self._add("Sub", [for_it, against], f"{place}/opinion")], f"{place}/d")
        powers = [
            self._add("Exp", [self._add("Sub", [z, none], f"{z}/below")], f"{z}/power") for z in (against, for_it)
        ]
        odds = self._add("Add", powers, f"{place}/odds")  # e^-n
        certain = self._both(
            "And",
            self._compare("Greater", d, rule.margin + room.opinion),
            self._compare("Greater", odds, math.exp(room.neutral - rule.neutral)),
        )
        uncertain = self._both(
            "Or",
            self._compare("Less", d, rule.margin - room.opinion),
            self._compare("Less", odds, math.exp(-room.neutral - rule.neutral)),
        )
        sided = self._compare("Greater", d, room.opinion)
        return self._both("And", sided, self._both("Or", certain, uncertain))

    def _compare(self, op: str, value: str, bound: float) -> str:
        out = f"{value}/{op.lower()}_{bound:.6g}"
        return self._add(op, [value, self._constant(out, np.float32(bound))], out)

    def _both(self, op: str, one: str, other: str) -> str:
        return self._add(op, [one, other], f"{one}/{op.lower()}")

    def _columns(self, values: str, count: int) -> list[str]:
        """[batch, 1] each of [batch, count].

        A Gather for each would be fused to a Split by onnxruntime, whose outputs then have one name in every branch:
        such a graph cannot be read again once it was written.
        """
        names = [f"{values}/{i}" for i in range(count)]
        self.new.append(helper.make_node("Split", [values], names, name=f"{values}/split", axis=1, num_outputs=count))
        return names

    def _crossing(
        self,
        before: list[onnx.NodeProto],
        behind: list[onnx.NodeProto],
        layer: Layer,
        given: dict[str, set[str]],
        again: bool,
    ) -> dict[str, set[str]]:
        """What rows have of their own before an exit and need behind it, and of which inputs it was made.

        `again`: there is another exit behind. Raises ValueError where they need more than vectors and mask.
        """
        sources = dict(given)
        for node in before:
            read = set().union(*(sources.get(name, set()) for name in node.input))
            sources |= dict.fromkeys(node.output, read)
        needed = {name for node in behind for name in node.input} | ({self.mask} if again else set())
        own = {name: found for name, found in sources.items() if name in needed and found}
        for name, found in own.items():
            if name not in (layer.vectors, layer.integers) and found != {MASK}:
                raise ValueError(f"what is behind layer {layer.passed} needs {name}")
        return own

    def _constant(self, name: str, value: np.ndarray | np.generic) -> str:
        name = f"exit/constant/{name}"
        if all(tensor.name != name for tensor in self.graph.initializer):
            self.graph.initializer.append(numpy_helper.from_array(np.asarray(value), name))
        return name

    def _add(self, op: str, inputs: list[str], out: str, **attributes: Any) -> str:
        self.new.append(helper.make_node(op, inputs, [out], name=out, **attributes))
        return out


def _behind(nodes: list[onnx.NodeProto], layer: Layer) -> list[onnx.NodeProto]:
    """What needs the layer's vectors, save what makes its integers of them."""
    making = {layer.integers}
    for node in reversed(nodes):
        if making.intersection(node.output):
            making.update(set(node.input) - {layer.vectors})
    reached, found = {layer.vectors, layer.integers}, []
    for node in nodes:
        if reached.intersection(node.input) and not making.intersection(node.output):
            reached.update(node.output)
            found.append(node)
    return found


def _rename(nodes: list[onnx.NodeProto], old: str, new: str) -> None:
    for node in nodes:
        for i, name in enumerate(node.input):
            if name == old:
                node.input[i] = new


def _rename_output(nodes: list[onnx.NodeProto], old: str, new: str) -> None:
    for node in nodes:
        for i, name in enumerate(node.output):
            if name == old:
                node.output[i] = new


def _branch(nodes: list[onnx.NodeProto], outputs: tuple[str, str], name: str) -> onnx.GraphProto:
    kinds = TensorProto.FLOAT, TensorProto.INT64
    made = [helper.make_tensor_value_info(out, kind, None) for out, kind in zip(outputs, kinds, strict=True)]
    return helper.make_graph(nodes, name, [], made)


def _batch_name(graph: onnx.GraphProto) -> str:
    return str(graph.input[0].type.tensor_type.shape.dim[0].dim_param)
