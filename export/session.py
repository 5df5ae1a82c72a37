"""Runs an exported graph on texts or pairs."""

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from tokenizers import Tokenizer

from export.encoding import Item, encode
from export.matcher import pool


def open_session(path: Path) -> onnxruntime.InferenceSession:
    """A CPU session on the ONNX file, on as many threads as this process may use."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = (
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    )
    options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def feed(
    session: onnxruntime.InferenceSession, tokenizer: Tokenizer, items: Sequence[Item]
) -> dict[str, NDArray[np.int64]]:
    """The graph's own inputs for `items` as one padded batch."""
    return encode(tokenizer, items, [node.name for node in session.get_inputs()])


def run(session: onnxruntime.InferenceSession, tokenizer: Tokenizer, items: Sequence[Item]) -> NDArray[np.float32]:
    """The graph's output for `items` as one padded batch: logits or vectors [items, n], or [items, tokens, n]."""
    output: NDArray[np.float32] = session.run(None, feed(session, tokenizer, items))[0]
    return output


def run_rows(
    session: onnxruntime.InferenceSession, tokenizer: Tokenizer, items: Sequence[Item]
) -> list[NDArray[np.float32]]:
    """As `run`, one array for each item; of vectors of tokens only those of the item itself, without padding."""
    inputs = feed(session, tokenizer, items)
    output = session.run(None, inputs)[0]
    if output.ndim == 2:
        return list(output)
    return [row[: mask.sum()] for row, mask in zip(output, inputs["attention_mask"], strict=True)]


def run_vectors(
    session: onnxruntime.InferenceSession, tokenizer: Tokenizer, texts: Sequence[str]
) -> NDArray[np.float32]:
    """One vector for each text, float32 [texts, n]: pooled as the server does, where the graph gives tokens."""
    inputs = feed(session, tokenizer, texts)
    output = session.run(None, inputs)[0]
    return output if output.ndim == 2 else pool(output, inputs["attention_mask"])
