"""The encoder in CTranslate2's int8, and the classification head, which its converter leaves out.

python -m benchmarks.prepare.ctranslate2_int8 CHECKPOINT OUT
"""

import sys
from pathlib import Path

import numpy as np
from ctranslate2.converters import TransformersConverter
from safetensors.numpy import load_file


def main(checkpoint: Path, out: Path) -> None:
    TransformersConverter(str(checkpoint)).convert(str(out), quantization="int8", force=True)
    weights = load_file(checkpoint / "model.safetensors")
    np.savez(out / "head.npz", weight=weights["classifier.weight"], bias=weights["classifier.bias"])


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
