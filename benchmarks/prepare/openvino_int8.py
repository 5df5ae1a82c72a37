"""OpenVINO int8 by post-training quantization, calibrated on made-up texts.

python -m benchmarks.prepare.openvino_int8 FP32_FOLDER OUT
"""

import sys
from pathlib import Path

import nncf
import numpy as np
import openvino as ov
from tokenizers import Tokenizer

from structbert_lite.bench.synthetic_texts import make_texts

CALIBRATION_TEXTS = 300


def main(source: Path, out: Path) -> None:
    model = ov.Core().read_model(source / "model.onnx")
    tokenizer = Tokenizer.from_file(str(source / "tokenizer.json"))
    names = {port.any_name for port in model.inputs}

    def columns(text: str) -> dict[str, np.ndarray]:
        ids = np.array([tokenizer.encode(text).ids[:512]])
        found = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
        return {name: found[name] for name in names}

    texts = make_texts(CALIBRATION_TEXTS, seed=7)  # not the texts of the measurement
    quantized = nncf.quantize(
        model, nncf.Dataset(texts, columns), model_type=nncf.ModelType.TRANSFORMER, subset_size=CALIBRATION_TEXTS
    )
    ov.save_model(quantized, out / "model.xml")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
