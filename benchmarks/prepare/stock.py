"""The checkpoint as float32 ONNX and as optimum's stock dynamic int8.

    python -m benchmarks.prepare.stock CHECKPOINT OUT

The checkpoint's tokenizer is copied beside each file.
"""

import shutil
import sys
from pathlib import Path

from optimum.onnxruntime import ORTModelForSequenceClassification, ORTQuantizer
from optimum.onnxruntime.configuration import AutoQuantizationConfig


def main(checkpoint: Path, out: Path) -> None:
    ORTModelForSequenceClassification.from_pretrained(checkpoint, export=True).save_pretrained(out / "fp32")
    for name in ("avx2", "avx512_vnni"):
        config = getattr(AutoQuantizationConfig, name)(is_static=False)
        ORTQuantizer.from_pretrained(out / "fp32").quantize(save_dir=out / name, quantization_config=config)
    for folder in out.iterdir():
        for name in ("tokenizer.json", "tokenizer_config.json"):
            shutil.copy(checkpoint / name, folder)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
