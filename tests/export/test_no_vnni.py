# ruff: noqa: E402 - what needs torch is imported after the check that it is there
"""The integer products of an exported model are the same on a CPU without VNNI, which qemu plays here.

Compared, byte by byte, between this CPU and `qemu-x86_64 -cpu Haswell`, both given the same uint8 rows (those of
the whole model on this CPU): for every MatMulIntegerToFloat of the graph its float32 output, and the int32
accumulators of a MatMulInteger on the same rows and weights, which must also be what numpy counts in int64.
The floats between them (LayerNorm, Gelu, Softmax) are not held: their kernels may differ from CPU to CPU.
"""

import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

EMULATOR = shutil.which("qemu-x86_64")
if EMULATOR is None:
    pytest.skip("needs qemu-x86_64 (apt-get install qemu-user)", allow_module_level=True)
if platform.machine() != "x86_64":
    pytest.skip("needs an x86-64 Python for the emulator to run", allow_module_level=True)
pytest.importorskip("torch", reason="needs requirements-export.txt")
pytest.importorskip("optimum.exporters.onnx", reason="needs requirements-export.txt")

import onnx
from onnx import TensorProto, helper, numpy_helper

from export.calibrate import calibrate
from export.encoding import encode
from export.quantize import CONTRIB, WEIGHT_LEVELS, quantize
from export.texts import PARITY_TEXTS
from tests.export import integer_path

HASWELL = [EMULATOR, "-cpu", "Haswell"]  # AVX2, no VNNI, no AVX512
FULL_WEIGHT_LEVELS = 127  # what eight bits would allow
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


@pytest.fixture(scope="module")
def products(float32, tokenizer, tmp_path_factory) -> dict[str, dict[str, np.ndarray]]:
    """Outputs of the integer path by where it ran: "here", "haswell"; "exact": the accumulators by numpy."""
    folder = tmp_path_factory.mktemp("integer_path")
    whole, worst = folder / "whole.onnx", folder / "worst.onnx"
    quantize(float32, whole, calibrate(float32, [encode(tokenizer, [text]) for text in PARITY_TEXTS]))
    quantize(write_worst_case(folder / "float32.onnx"), worst, {})
    inputs = rows_of(whole, encode(tokenizer, PARITY_TEXTS), folder / "whole")
    inputs |= rows_of(worst, {"x": np.full((5, 64), 0.5, np.float32)}, folder / "worst")
    layers = linear_layers(whole) | linear_layers(worst)
    ((name, layer),) = linear_layers(worst).items()
    layers |= {f"eight bits {name}": stretch(layer)}
    write_layers(layers, folder / "layers.onnx")
    np.savez(folder / "in.npz", **inputs)
    results = {}
    for where, before in (("here", []), ("haswell", HASWELL)):
        command = [*before, sys.executable, integer_path.__file__, folder / "layers.onnx", folder / "in.npz"]
        out = folder / f"{where}.npz"
        done = subprocess.run(
            [*map(str, command), str(out)],
            env=os.environ | ONE_THREAD,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        results[where] = dict(np.load(out))
    exact = {f"{name} sums": exact_sums(inputs[rows], weight) for name, (rows, weight, _) in layers.items()}
    return results | {"exact": exact}


def test_integer_products_are_the_same_without_vnni(products) -> None:
    names = [name for name in products["here"] if not name.startswith("eight bits")]
    assert len(names) == 2 * (2 * 6 + 1 + 1)  # sums and product: six in each of two layers, the pooler, the worst case
    for name in names:
        assert products["here"][name].tobytes() == products["haswell"][name].tobytes(), name
    for name, sums in products["exact"].items():
        if not name.startswith("eight bits"):
            assert np.array_equal(products["haswell"][name], sums), name


def test_eight_bit_weights_would_saturate(products) -> None:
    """The same layer at ±127: what the test above can find, and why the weights have seven bits."""
    ((name, sums),) = [(name, sums) for name, sums in products["exact"].items() if name.startswith("eight bits")]
    assert not np.array_equal(products["haswell"][name], sums)
    # 255 * 127 twice is 64,770, which a 16-bit sum of a pair cuts off at 32,767: about half of it is lost.
    assert np.abs(products["haswell"][name] - sums).max() == 32 * (2 * 255 * FULL_WEIGHT_LEVELS - 32767)


def write_worst_case(path: Path) -> Path:
    """A float32 linear layer [64, 32] whose int8 weights are all as far from 0 as they go, column by column."""
    weight = np.where(np.arange(32) % 2, 1, -1) * np.ones((64, 1))
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["worst"])],
        "worst",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["rows", 64])],
        [helper.make_tensor_value_info("worst", TensorProto.FLOAT, ["rows", 32])],
        [numpy_helper.from_array(weight.astype(np.float32), "w")],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10), path)
    return path


def linear_layers(path: Path) -> dict[str, tuple[str, np.ndarray, np.ndarray]]:
    """(name of the uint8 rows, int8 weight, column scales) of each MatMulIntegerToFloat in the graph, by its output."""
    graph = onnx.load(path).graph
    constants = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    nodes = [node for node in graph.node if node.op_type == "MatMulIntegerToFloat"]
    return {node.output[0]: (node.input[0], constants[node.input[1]], constants[node.input[3]]) for node in nodes}


def stretch(layer: tuple[str, np.ndarray, np.ndarray]) -> tuple[str, np.ndarray, np.ndarray]:
    """The same layer with weights that use all eight bits."""
    rows, weight, scale = layer
    wide = np.rint(weight * (FULL_WEIGHT_LEVELS / WEIGHT_LEVELS)).astype(np.int8)
    return rows, wide, (scale * (WEIGHT_LEVELS / FULL_WEIGHT_LEVELS)).astype(np.float32)


def rows_of(path: Path, inputs: dict[str, np.ndarray], work: Path) -> dict[str, np.ndarray]:
    """The uint8 rows that the graph's linear layers read on this CPU, by name."""
    model = onnx.load(path)
    del model.graph.output[:]
    names = {rows for rows, _, _ in linear_layers(path).values()}
    model.graph.output.extend(helper.make_tensor_value_info(name, TensorProto.UINT8, None) for name in sorted(names))
    onnx.save(model, f"{work}.onnx")
    np.savez(f"{work}-in.npz", **inputs)
    integer_path.run(f"{work}.onnx", f"{work}-in.npz", f"{work}-out.npz")
    return dict(np.load(f"{work}-out.npz"))


def write_layers(layers: dict[str, tuple[str, np.ndarray, np.ndarray]], path: Path) -> None:
    """One graph of all `layers`: their rows in; `NAME` (the float32 product) and `NAME sums` (int32) out."""
    nodes, constants, outputs = [], {"one": np.float32(1), "zero": np.uint8(128)}, []
    for name, (rows, weight, scale) in layers.items():
        constants |= {f"{name} weight": weight, f"{name} scale": scale}
        operands = [rows, f"{name} weight", "one", f"{name} scale", "zero"]
        nodes.append(helper.make_node("MatMulIntegerToFloat", operands, [name], domain=CONTRIB))
        nodes.append(helper.make_node("MatMulInteger", [rows, f"{name} weight", "zero"], [f"{name} sums"]))
        outputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, None))
        outputs.append(helper.make_tensor_value_info(f"{name} sums", TensorProto.INT32, None))
    read = sorted({rows for rows, _, _ in layers.values()})
    inputs = [helper.make_tensor_value_info(name, TensorProto.UINT8, None) for name in read]
    tensors = [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()]
    graph = helper.make_graph(nodes, "layers", inputs, outputs, tensors)
    opsets = [helper.make_opsetid("", 18), helper.make_opsetid(CONTRIB, 1)]
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=10), path)


def exact_sums(rows: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """int64 [..., columns]: (rows - 128) weight."""
    return (rows.astype(np.int64) - 128) @ weight.astype(np.int64)
