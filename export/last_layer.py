"""The last layer for [CLS] alone, or for the few first tokens that the head reads: it reads no other token of it.

Only keys and values of the last layer need every token; its queries, its attention output, its feed-forward
part and its two LayerNormalizations are wanted for the first token. In a graph of four layers that saves a
fifth of the arithmetic, and changes none of what is left.

Two tokens are kept, not one: onnxruntime multiplies a single row by another kernel, whose sums of an odd number
of tokens change in the last bit with the padding behind them. Every text has two tokens, [CLS] and [SEP].
"""

import numpy as np
import onnx
from onnx import helper, numpy_helper

TOKENS = 2
ROW_WISE = {"Add", "Mul", "Div", "Erf", "LayerNormalization", "Tanh"}


def keep_first_token(model: onnx.ModelProto) -> bool:
    """Rewrites `model` in place where it ends as BERT's classifiers or as a span extractor for fixed tokens does.

    False, and nothing done, where it does not.

    The caller checks the result against the model that it was made from.
    """
    try:
        _Cutter(model.graph).cut()
    except _OtherGraphError:
        return False
    return True


class _OtherGraphError(Exception):
    """The graph is not the one that this module knows."""


class _Cutter:
    def __init__(self, graph: onnx.GraphProto) -> None:
        self.graph = graph
        self.producers = {name: node for node in graph.node for name in node.output}
        # Only the values of small ones are read: large ones may lie in a file that is not loaded.
        self.constants = {tensor.name: tensor for tensor in graph.initializer}
        for node in graph.node:
            if node.op_type == "Constant" and node.attribute[0].name == "value":
                self.constants[node.output[0]] = node.attribute[0].t
            elif node.op_type == "Identity" and node.input[0] in self.constants:
                self.constants[node.output[0]] = self.constants[node.input[0]]
        self.new: list[onnx.NodeProto] = []
        self.cut_names: dict[str, str] = {}
        self.tokens = TOKENS

    def cut(self) -> None:
        """Finds the head's Gather of token 0, or of a list of tokens, and feeds it from a last layer of no more."""
        gathers = [node for node in self.graph.node if self._count_tokens(node)]
        if len(gathers) != 1:
            raise _OtherGraphError
        gather = gathers[0]
        self.tokens = self._count_tokens(gather)
        name = self._first(gather.input[0])
        nodes = list(self.graph.node)
        place = nodes.index(gather)
        gather.input[0] = name
        del self.graph.node[:]
        self.graph.node.extend(keep_alive([*nodes[:place], *self.new, *nodes[place:]], self.graph))

    def _count_tokens(self, node: onnx.NodeProto) -> int:
        """How many of the first tokens a Gather needs; 0 where it is not the one of a head."""
        axis = next((a.i for a in node.attribute if a.name == "axis"), 0)
        index = self.constants.get(node.input[1]) if node.op_type == "Gather" else None
        if axis != 1 or index is None or len(index.dims) > 1:
            return 0
        taken = numpy_helper.to_array(index)
        if taken.ndim == 0:
            return TOKENS if taken == 0 else 0
        return max(TOKENS, int(taken.max()) + 1) if taken.min() >= 0 else 0

    def _first(self, name: str) -> str:
        """The tensor `name` [batch, tokens, width] for the first tokens: [batch, self.tokens, width]."""
        if name in self.constants:
            if len(self.constants[name].dims) > 1:
                raise _OtherGraphError
            return name
        if name not in self.cut_names:
            self.cut_names[name] = self._make_first(name, self._producer(name))
        return self.cut_names[name]

    def _make_first(self, name: str, node: onnx.NodeProto) -> str:
        if self._readers(name, "MatMul") >= 3:  # queries, keys and values: the input of a layer
            start, end, axis = (self._constant(f"cls/{n}", np.array([n])) for n in (0, self.tokens, 1))
            return self._add("Slice", [name, start, end, axis], f"{name}/cls")
        if node.op_type in ROW_WISE:
            return self._like(node, [self._first(i) for i in node.input])
        if node.op_type == "MatMul" and node.input[1] in self.constants:
            return self._like(node, [self._first(node.input[0]), node.input[1]])
        if node.op_type == "Reshape":
            return self._heads_joined(name, node)
        raise _OtherGraphError

    def _heads_joined(self, name: str, node: onnx.NodeProto) -> str:
        """[batch, tokens, heads * size] from the attention: probabilities times values, heads next to each other."""
        swap = self._producer(node.input[0], "Transpose")
        product = self._producer(swap.input[0], "MatMul")
        soft = self._producer(product.input[0], "Softmax")
        masked = self._producer(soft.input[0], "Add")
        rows = self._query_rows(masked.input[0])
        probabilities = self._like(soft, [self._like(masked, [rows, masked.input[1]])])
        context = self._like(product, [probabilities, product.input[1]])
        width = self._number(self._producer(node.input[1], "Concat").input[-1])
        joined = self._constant("cls/joined", np.array([0, self.tokens, width]))
        return self._add("Reshape", [self._like(swap, [context]), joined], f"{name}/cls")

    def _query_rows(self, name: str) -> str:
        """Attention scores [batch, heads, tokens, tokens] for the queries of the first tokens."""
        node = self._producer(name)
        if node.op_type in ("Mul", "Div"):  # by 1 / sqrt(size)
            return self._like(node, [self._query_rows(node.input[0]), *node.input[1:]])
        if node.op_type == "MatMul":
            return self._like(node, [self._query_rows(node.input[0]), node.input[1]])
        if node.op_type == "Transpose":
            split = self._producer(node.input[0], "Reshape")
            shape = self._producer(split.input[1], "Concat")
            heads, size = (self._number(name) for name in shape.input[-2:])
            few = self._constant("cls/split", np.array([0, self.tokens, heads, size]))
            return self._like(
                node, [self._add("Reshape", [self._first(split.input[0]), few], f"{split.output[0]}/cls")]
            )
        raise _OtherGraphError

    def _number(self, name: str) -> int:
        value = self.constants.get(name)
        if value is None or np.prod(value.dims) != 1:
            raise _OtherGraphError
        return int(numpy_helper.to_array(value).reshape(()))

    def _producer(self, name: str, op: str | None = None) -> onnx.NodeProto:
        node: onnx.NodeProto | None = self.producers.get(name)
        if node is None or (op is not None and node.op_type != op):
            raise _OtherGraphError
        return node

    def _readers(self, name: str, op: str) -> int:
        return sum(name in node.input for node in self.graph.node if node.op_type == op)

    def _like(self, node: onnx.NodeProto, inputs: list[str]) -> str:
        copy = onnx.NodeProto()
        copy.CopyFrom(node)
        copy.name, out = f"{node.name}/cls", f"{node.output[0]}/cls"
        del copy.input[:], copy.output[:]
        copy.input.extend(inputs)
        copy.output.append(out)
        self.new.append(copy)
        return out

    def _add(self, op: str, inputs: list[str], out: str) -> str:
        self.new.append(helper.make_node(op, inputs, [out], name=out))
        return out

    def _constant(self, name: str, value: np.ndarray) -> str:
        if all(tensor.name != name for tensor in self.graph.initializer):
            self.graph.initializer.append(numpy_helper.from_array(value.astype(np.int64), name))
        return name


def keep_alive(nodes: list[onnx.NodeProto], graph: onnx.GraphProto) -> list[onnx.NodeProto]:
    """The nodes whose results somebody reads."""
    wanted = {value.name for value in graph.output}
    kept: list[onnx.NodeProto] = []
    for node in reversed(nodes):
        if wanted.intersection(node.output):
            kept.append(node)
            wanted.update(node.input)
    return kept[::-1]
