"""OpenVINO static int8 as sentence-transformers makes it, calibrated on made-up texts.

python -m benchmarks.prepare.sentence_transformers_openvino CHECKPOINT OUT
"""

import json
import sys
import tempfile
from pathlib import Path

from optimum.intel import OVQuantizationConfig
from sentence_transformers import CrossEncoder, export_static_quantized_openvino_model

from structbert_lite.bench.synthetic_texts import make_texts

CALIBRATION_TEXTS = 300


def main(checkpoint: Path, out: Path) -> None:
    model = CrossEncoder(str(checkpoint), backend="openvino", max_length=512, model_kwargs={"export": True})
    model.save_pretrained(str(out))
    with tempfile.TemporaryDirectory() as folder:
        rows = [json.dumps({"text": text}) + "\n" for text in make_texts(CALIBRATION_TEXTS, seed=7)]
        (Path(folder) / "train.jsonl").write_text("".join(rows), encoding="utf-8")
        export_static_quantized_openvino_model(
            model,
            OVQuantizationConfig(num_samples=CALIBRATION_TEXTS),
            str(out),
            dataset_name=folder,
            dataset_config_name="default",
            dataset_split="train",
            column_name="text",
        )


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
