"""Int8 in ONNX operators, so that a text's score cannot depend on its batch or its padding.

Stock dynamic quantization takes one activation scale for the whole tensor, so every text moves its
neighbours' scores. Here a scale belongs to the model or to one token. For a weight W [K, N], s[n] = max|W[:, n]| / 63
and W8 = round(W / s), once, at export; then one of two, products of integers being exact:

    after a LayerNormalization, where calibration knows each channel's range (static, smoothed):
        q = round(x / c) + 128 as uint8,  y = (q - 128) W8 * s + bias          with W[k, :] * c[k] in W's place
    elsewhere (dynamic, per token):
        m = max|x| of the row,  q = round(127 x / m) + 128,  y = (q - 128) W8 * s * m / 127 + bias

c[k] = t * max|x[k]|^a moves a wide channel's range into the weights (Xiao et al. 2022, SmoothQuant); a is
chosen for each activation by the error on sample rows, t makes the widest channel 127.

Weights keep 7 of their 8 bits: on CPUs without VNNI a u8 x s8 product pair is summed in 16 bits and
saturates (onnxruntime issue 6004); |q| <= 255 times |W8| <= 63 twice stays below 32,768. So one file is
right on every x86-64 host.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from export.calibrate import Calibration
from export.onnx_file import load_graph, read_tensor, save_whole, take_in

CONTRIB = "com.microsoft"
WEIGHT_LEVELS = 63
ACTIVATION_LEVELS = 127
MARGIN = 1.15  # room above the largest value that calibration saw
SMOOTHING = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)  # exponents to choose from
GELU_LEAST = 0.17  # GELU is nowhere below -0.17
SMALL_HEAD = 16  # columns: a classifier this narrow stays in float32
TABLE_ROWS = 4096
LARGE_TABLE = 1 << 20  # elements: an embedding table from this size on becomes int8


def quantize(source: Path, target: Path, calibrations: Mapping[str, Calibration]) -> dict[str, Any]:
    """Reads the float32 graph `source` and writes its int8 form to `target`.

    Activations in `calibrations` get static scales, all others scales per token. Returns facts for the
    manifest. Raises ValueError when the graph has no linear layer to quantize or an embedding table that
    more than one kind of operator reads.
    """
    model = load_graph(source)
    graph = _Rewriter(model.graph, calibrations, source.parent)
    for node in list(model.graph.node):
        graph.rewrite(node)
    if not graph.linear:
        raise ValueError("the graph has no MatMul or Gemm with a constant weight; there is nothing to quantize")
    graph.finish()
    model.opset_import.append(helper.make_opsetid(CONTRIB, 1))
    del model.graph.value_info[:]
    save_whole(model, target, {rows for rows, _ in graph.int8_tables.values()})
    return {
        "scheme": "int8, static after LayerNormalization, per token elsewhere",
        "weight_bits": 7,
        "activation_bits": 8,
        "linear_layers": graph.linear,
        "static_layers": graph.static,
        "float_heads": graph.heads,
        "int8_tables": graph.tables,
    }


class _Rewriter:
    """Replaces nodes of one graph; `finish` puts the new nodes in and drops what nothing reads any more."""

    def __init__(self, graph: onnx.GraphProto, calibrations: Mapping[str, Calibration], folder: Path) -> None:
        self.graph = graph
        self.folder = folder  # of the weights that are not in the graph
        self.calibrations = calibrations
        self.constants = _constants(graph)
        self.producers = {name: node for node in graph.node for name in node.output}
        self.nodes: list[onnx.NodeProto] = []
        self.new: dict[str, onnx.TensorProto] = {}
        self.quantized: dict[str, tuple[str, str]] = {}  # activation -> (uint8 rows, row scales)
        self.smoothed: dict[str, np.ndarray] = {}  # activation -> c, a step for each channel
        self.int8_tables: dict[str, tuple[str, str]] = {}  # table -> (int8 rows, a scale for each)
        self.done: set[str] = set()  # outputs that an earlier node's stand-in computes already
        self.linear = self.static = self.heads = self.tables = 0

    def rewrite(self, node: onnx.NodeProto) -> None:
        """Appends what stands for `node` in the new graph."""
        if node.output[0] in self.done or node.output[0] in self.constants:
            return
        weight = self.constants.get(node.input[1]) if len(node.input) > 1 else None
        if node.op_type == "MatMul" and weight is not None and len(weight.dims) == 2:
            self._linear(node.input[0], self._weight(node), None, node.output[0])
        elif node.op_type == "Gemm" and weight is not None:
            flags = {a.name: helper.get_attribute_value(a) for a in node.attribute}
            if flags.get("transA", 0) or flags.get("alpha", 1.0) != 1.0 or flags.get("beta", 1.0) != 1.0:
                raise ValueError(f"{node.name}: a Gemm with transA, alpha or beta is not a linear layer")
            bias = node.input[2] if len(node.input) > 2 else None
            self._linear(node.input[0], self._weight(node), bias, node.output[0])
        elif node.op_type == "Gather" and self._is_large_table(node.input[0]):
            self._table(node)
        else:
            self.nodes.append(node)

    def finish(self) -> None:
        """Writes the new nodes and constants into the graph."""
        del self.graph.node[:]
        self.graph.node.extend(self.nodes)
        read = {name for node in self.nodes for name in node.input}
        kept = [tensor for name, tensor in self.constants.items() if name in read]
        del self.graph.initializer[:]
        self.graph.initializer.extend(kept + list(self.new.values()))
        take_in(self.graph, self.folder)

    def _linear(self, x: str, weight: np.ndarray, bias: str | None, out: str) -> None:
        if weight.shape[1] <= SMALL_HEAD:
            self.heads += 1
            product = self._float_head(x, weight, out)
        elif x in self.calibrations:
            self._static_product(x, weight, bias, out)
            return
        else:
            self.linear += 1
            product = self._integer_product(x, weight, out)
        self._add("Add", [product, bias], out) if bias else self._add("Identity", [product], out)

    def _static_product(self, x: str, weight: np.ndarray, bias: str | None, out: str) -> None:
        """Y = x W + bias in one operator; takes over the Add of a constant that follows a MatMul."""
        self.linear += 1
        self.static += 1
        if x not in self.smoothed:
            readers = [node for node in self.graph.node if x in node.input and node.op_type in ("MatMul", "Gemm")]
            weights = [self._weight(node) for node in readers if node.input[1] in self.constants]
            self.smoothed[x] = choose_steps(self.calibrations[x], np.concatenate(weights, axis=1))
            inverse = self._constant(f"{x}/inverse", (1 / self.smoothed[x]).astype(np.float32))
            self._quantize(self._add("Mul", [x, inverse], f"{x}/stretched"), f"{x}/static")
        readers = [node for node in self.graph.node if out in node.input]
        if bias is None and len(readers) == 1 and readers[0].op_type == "Add":
            (other,) = (name for name in readers[0].input if name != out)
            if other in self.constants and len(self.constants[other].dims) == 1:
                bias, out = other, readers[0].output[0]
                self.done.add(out)
        self._integers(f"{x}/static", weight * self.smoothed[x][:, None], 1.0, out, bias)

    def _integer_product(self, x: str, weight: np.ndarray, out: str) -> str:
        rows, scales = self._quantize_rows(x)
        # The row's 1/127 is put into the column scales, so that the row scale is the bare maximum.
        product = self._integers(rows, weight, 1 / ACTIVATION_LEVELS, f"{out}/product")
        return self._add("Mul", [product, scales], f"{out}/scaled")

    def _integers(self, rows: str, weight: np.ndarray, step: float, out: str, bias: str | None = None) -> str:
        q, scale = _quantize_weight(weight)
        inputs = [
            rows,
            self._constant(f"{out}/weight", q.astype(np.int8)),
            self._constant("one", np.float32(1)),
            self._constant(f"{out}/scale", (scale * step).astype(np.float32)),
            self._constant("zero_point", np.uint8(128)),
        ]
        return self._add("MatMulIntegerToFloat", [*inputs, "", bias] if bias else inputs, out, domain=CONTRIB)

    def _quantize_rows(self, x: str) -> tuple[str, str]:
        if x not in self.quantized:
            gelu = self._is_gelu(x)
            size = x if gelu else self._add("Abs", [x], f"{x}/abs")
            largest = self._add("ReduceMax", [size, self._last()], f"{x}/max", keepdims=1)
            least = self._constant("gelu_least" if gelu else "least", np.float32(GELU_LEAST if gelu else 1e-12))
            scale = self._add("Max", [largest, least], f"{x}/row_scale")
            inverse = self._add("Div", [self._constant("levels", np.float32(ACTIVATION_LEVELS)), scale], f"{x}/inverse")
            stretched = self._add("Mul", [x, inverse], f"{x}/stretched")
            self.quantized[x] = self._quantize(stretched, f"{x}/rows"), scale
        return self.quantized[x]

    def _quantize(self, x: str, out: str) -> str:
        one, zero = self._constant("one", np.float32(1)), self._constant("zero_point", np.uint8(128))
        return self._add("QuantizeLinear", [x, one, zero], out)

    def _is_gelu(self, name: str) -> bool:
        """Whether `name` is (x (erf(x / sqrt 2) + 1)) / 2, as PyTorch's exporter writes it."""
        for op in ("Mul", "Mul", "Add"):
            node = self.producers.get(name)
            if node is None or node.op_type != op:
                return False
            before = [self.producers[i] for i in node.input if i in self.producers and i not in self.constants]
            if op == "Add":
                return any(producer.op_type == "Erf" for producer in before)
            wanted = "Mul" if len(before) == 1 else "Add"
            name = next((p.output[0] for p in before if p.op_type == wanted), "")
        return False

    def _weight(self, node: onnx.NodeProto) -> np.ndarray:
        """The constant weight of a MatMul or Gemm as float32 [K, N]."""
        values = read_tensor(self.constants[node.input[1]], self.folder)
        flags = {a.name: helper.get_attribute_value(a) for a in node.attribute}
        return values.T if flags.get("transB", 0) else values

    def _float_head(self, x: str, weight: np.ndarray, out: str) -> str:
        """X W for a few columns, row by row: a Gemm takes another path for one row than for several."""
        wide = self._add("Unsqueeze", [x, self._constant("before_last", np.array([-2]))], f"{out}/wide")
        columns = self._constant(f"{out}/columns", np.ascontiguousarray(weight.T))
        return self._add(
            "ReduceSum", [self._add("Mul", [wide, columns], f"{out}/terms"), self._last()], f"{out}/sum", keepdims=0
        )

    def _table(self, node: onnx.NodeProto) -> None:
        name = node.input[0]
        if name not in self.int8_tables:
            integers, steps = _quantize_table(read_tensor(self.constants[name], self.folder))
            self.int8_tables[name] = self._constant(f"{name}/int8", integers), self._constant(f"{name}/scale", steps)
            self.tables += 1
        rows, scales = self.int8_tables[name]
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

    def _constant(self, name: str, value: np.ndarray | np.generic) -> str:
        name = f"per_token/{name}"
        if name not in self.new:
            self.new[name] = numpy_helper.from_array(np.asarray(value), name)
        return name

    def _add(self, op: str, inputs: list[str], out: str, **attributes: Any) -> str:
        self.nodes.append(helper.make_node(op, inputs, [out], name=out, **attributes))
        return out


def choose_steps(calibration: Calibration, weight: np.ndarray) -> np.ndarray:
    """c, float64 [K]: the quantization step of each channel with the least error of x W on the sample rows."""
    largest = np.maximum(calibration.largest * MARGIN, 1e-3 * calibration.largest.max()).astype(np.float64)
    exact = calibration.rows @ weight
    best: tuple[float, np.ndarray] = (np.inf, largest)
    for exponent in SMOOTHING:
        steps = largest**exponent
        steps *= (largest / steps).max() / ACTIVATION_LEVELS
        rows = np.clip(np.rint(calibration.rows / steps), -128, 127).astype(np.float32)
        q, scale = _quantize_weight(weight * steps[:, None])
        error = float(np.square(rows @ (q * scale).astype(np.float32) - exact).mean())
        best = min(best, (error, steps), key=lambda found: found[0])
    return best[1]


def _quantize_weight(weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(integers [K, N] within WEIGHT_LEVELS, scale [N])."""
    scale = np.maximum(np.abs(weight).max(axis=0), 1e-12) / WEIGHT_LEVELS
    return np.clip(np.rint(weight / scale), -WEIGHT_LEVELS, WEIGHT_LEVELS), scale


def _quantize_table(table: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(int8 [rows, width], scale float32 [rows, 1]), a few rows at a time: the table may be a gigabyte."""
    integers, scales = np.empty(table.shape, np.int8), np.empty((len(table), 1), np.float32)
    for start in range(0, len(table), TABLE_ROWS):
        part = slice(start, start + TABLE_ROWS)
        scales[part] = np.maximum(np.abs(table[part]).max(axis=1, keepdims=True), 1e-12) / 127
        integers[part] = np.rint(table[part] / scales[part])
    return integers, scales


def _constants(graph: onnx.GraphProto) -> dict[str, TensorProto]:
    """Initializers by name; equal ones are stored once, and Identity nodes give them their other names."""
    found = {tensor.name: tensor for tensor in graph.initializer}
    for node in graph.node:
        if node.op_type == "Identity" and node.input[0] in found:
            copy = TensorProto()
            copy.CopyFrom(found[node.input[0]])
            copy.name = node.output[0]
            found[copy.name] = copy
    return found
