"""Per-token dynamic int8 in ONNX operators: a text's score cannot depend on its batch or its padding.

Stock dynamic quantization takes one activation scale for the whole tensor, so every text moves its
neighbours' scores. Here each token's activation row x has its own scale. For a weight W [K, N]:

    s[n] = max|W[:, n]| / 63,  W8 = round(W / s)                     once, at export
    m = max|x|,  q = round(127 x / m) + 128 as uint8                 for each row
    y = (q - 128) W8 * s * m / 127                                   exact integers, then two scales

Weights keep 7 of their 8 bits: on CPUs without VNNI a u8 x s8 product pair is summed in 16 bits and
saturates (onnxruntime issue 6004); |q| <= 255 times |W8| <= 63 twice stays below 32,768. So one file is
right on every x86-64 host.
"""

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

CONTRIB = "com.microsoft"
WEIGHT_LEVELS = 63
ACTIVATION_LEVELS = 127
SMALL_HEAD = 16  # columns: a classifier this narrow stays in float32
LARGE_TABLE = 1 << 20  # elements: an embedding table from this size on becomes int8


def quantize_per_token(source: Path, target: Path) -> dict:
    """Reads the float32 graph `source` and writes its per-token int8 form to `target`.

    Returns facts for the manifest. Raises ValueError when the graph has no linear layer to quantize
    or an embedding table that more than one kind of operator reads.
    """
    model = onnx.load(source)
    graph = _Rewriter(model.graph)
    for node in list(model.graph.node):
        graph.rewrite(node)
    if not graph.linear:
        raise ValueError("the graph has no MatMul or Gemm with a constant weight; there is nothing to quantize")
    graph.finish()
    model.opset_import.append(helper.make_opsetid(CONTRIB, 1))
    del model.graph.value_info[:]
    onnx.save(model, target)
    return {
        "scheme": "per-token dynamic int8",
        "weight_bits": 7,
        "activation_bits": 8,
        "linear_layers": graph.linear,
        "float_heads": graph.heads,
        "int8_tables": graph.tables,
    }


class _Rewriter:
    """Replaces nodes of one graph; `finish` puts the new nodes in and drops what nothing reads any more."""

    def __init__(self, graph: onnx.GraphProto) -> None:
        self.graph = graph
        self.constants = {tensor.name: tensor for tensor in graph.initializer}
        self.nodes: list[onnx.NodeProto] = []
        self.new: dict[str, onnx.TensorProto] = {}
        self.quantized: dict[str, tuple[str, str]] = {}  # activation -> (uint8 rows, row scales)
        self.linear = self.heads = self.tables = 0

    def rewrite(self, node: onnx.NodeProto) -> None:
        """Appends what stands for `node` in the new graph."""
        weight = self.constants.get(node.input[1]) if len(node.input) > 1 else None
        if node.op_type == "MatMul" and weight is not None and len(weight.dims) == 2:
            self._linear(node.input[0], numpy_helper.to_array(weight), None, node.output[0])
        elif node.op_type == "Gemm" and weight is not None:
            values = numpy_helper.to_array(weight)
            flags = {a.name: helper.get_attribute_value(a) for a in node.attribute}
            if flags.get("transA", 0) or flags.get("alpha", 1.0) != 1.0 or flags.get("beta", 1.0) != 1.0:
                raise ValueError(f"{node.name}: a Gemm with transA, alpha or beta is not a linear layer")
            bias = node.input[2] if len(node.input) > 2 else None
            self._linear(node.input[0], values.T if flags.get("transB", 0) else values, bias, node.output[0])
        elif node.op_type == "Gather" and self._is_large_table(node.input[0]):
            self._table(node)
        else:
            self.nodes.append(node)

    def finish(self) -> None:
        """Writes the new nodes and constants into the graph."""
        del self.graph.node[:]
        self.graph.node.extend(self.nodes)
        read = {name for node in self.nodes for name in node.input}
        kept = [tensor for tensor in self.graph.initializer if tensor.name in read]
        del self.graph.initializer[:]
        self.graph.initializer.extend(kept + list(self.new.values()))

    def _linear(self, x: str, weight: np.ndarray, bias: str | None, out: str) -> None:
        if weight.shape[1] <= SMALL_HEAD:
            self.heads += 1
            product = self._float_head(x, weight, out)
        else:
            self.linear += 1
            product = self._integer_product(x, weight, out)
        self._add("Add", [product, bias], out) if bias else self._add("Identity", [product], out)

    def _integer_product(self, x: str, weight: np.ndarray, out: str) -> str:
        rows, scales = self._quantize_rows(x)
        # The row's 1/127 is put into the column scales, so that the row scale is the bare maximum.
        column = np.maximum(np.abs(weight).max(axis=0), 1e-12) / WEIGHT_LEVELS
        q = np.clip(np.rint(weight / column), -WEIGHT_LEVELS, WEIGHT_LEVELS).astype(np.int8)
        inputs = [
            rows,
            self._constant(f"{out}/weight", q),
            self._constant("one", np.float32(1)),
            self._constant(f"{out}/scale", (column / ACTIVATION_LEVELS).astype(np.float32)),
            self._constant("zero_point", np.uint8(128)),
        ]
        product = self._add("MatMulIntegerToFloat", inputs, f"{out}/product", domain=CONTRIB)
        return self._add("Mul", [product, scales], f"{out}/scaled")

    def _quantize_rows(self, x: str) -> tuple[str, str]:
        if x not in self.quantized:
            largest = self._add("ReduceMax", [self._add("Abs", [x], f"{x}/abs"), self._last()], f"{x}/max", keepdims=1)
            scale = self._add("Max", [largest, self._constant("least", np.float32(1e-12))], f"{x}/row_scale")
            inverse = self._add("Div", [self._constant("levels", np.float32(ACTIVATION_LEVELS)), scale], f"{x}/inverse")
            stretched = self._add("Mul", [x, inverse], f"{x}/stretched")
            one, zero = self._constant("one", np.float32(1)), self._constant("zero_point", np.uint8(128))
            self.quantized[x] = self._add("QuantizeLinear", [stretched, one, zero], f"{x}/rows"), scale
        return self.quantized[x]

    def _float_head(self, x: str, weight: np.ndarray, out: str) -> str:
        """X W for a few columns, row by row: a Gemm takes another path for one row than for several."""
        wide = self._add("Unsqueeze", [x, self._constant("before_last", np.array([-2]))], f"{out}/wide")
        columns = self._constant(f"{out}/columns", np.ascontiguousarray(weight.T))
        return self._add(
            "ReduceSum", [self._add("Mul", [wide, columns], f"{out}/terms"), self._last()], f"{out}/sum", keepdims=0
        )

    def _table(self, node: onnx.NodeProto) -> None:
        table = numpy_helper.to_array(self.constants[node.input[0]])
        scale = np.maximum(np.abs(table).max(axis=1, keepdims=True), 1e-12) / 127
        if f"{node.input[0]}/int8" not in self.new:
            self.tables += 1
        rows = self._constant(f"{node.input[0]}/int8", np.rint(table / scale).astype(np.int8))
        scales = self._constant(f"{node.input[0]}/scale", scale.astype(np.float32))
        out = node.output[0]
        taken = self._add("Gather", [rows, node.input[1]], f"{out}/int8")
        floats = self._add("Cast", [taken], f"{out}/float", to=TensorProto.FLOAT)
        self._add("Mul", [floats, self._add("Gather", [scales, node.input[1]], f"{out}/scale")], out)

    def _is_large_table(self, name: str) -> bool:
        tensor = self.constants.get(name)
        if tensor is None or len(tensor.dims) != 2 or np.prod(tensor.dims) < LARGE_TABLE:
            return False
        readers = {node.op_type for node in self.graph.node if name in node.input}
        if readers != {"Gather"}:
            raise ValueError(f"the table {name} is read by {sorted(readers)}, not by Gather alone")
        return True

    def _last(self) -> str:
        return self._constant("last", np.array([-1]))

    def _constant(self, name: str, value: np.ndarray) -> str:
        name = f"per_token/{name}"
        if name not in self.new:
            self.new[name] = numpy_helper.from_array(np.asarray(value), name)
        return name

    def _add(self, op: str, inputs: list[str], out: str, **attributes: object) -> str:
        self.nodes.append(helper.make_node(op, inputs, [out], name=out, **attributes))
        return out
