"""Where the layers of a quantized graph begin, and what an exit reads there."""

from dataclasses import dataclass

import onnx


@dataclass(frozen=True, slots=True)
class Layer:
    """What is there after `passed` layers: float32 [batch, tokens, hidden], and the integers made of it.

    The integers, uint8 of the same shape with the zero point 128, are what the next layer's queries, keys and values
    are computed from.
    """

    passed: int
    vectors: str
    integers: str


def find_layers(graph: onnx.GraphProto) -> list[Layer]:
    """The inputs of every layer, in order: the embeddings' output first, the last layer's input last.

    Empty where the graph is not one that export/quantize.py made of BERT.
    """
    products: dict[str, int] = {}
    for node in graph.node:
        if node.op_type == "MatMulIntegerToFloat":
            products[node.input[0]] = products.get(node.input[0], 0) + 1
    norms = [node.output[0] for node in graph.node if node.op_type == "LayerNormalization"]
    # An attention's output is read by one product, a layer's input by keys and values at the least.
    inputs = [name for name in norms if products.get(f"{name}/static", 0) >= 2]
    return [Layer(i, name, f"{name}/static") for i, name in enumerate(inputs)]
