"""StructBERT Lite: Chinese text understanding on a CPU, through quantized ONNX models."""

__version__ = "1.0.0"
