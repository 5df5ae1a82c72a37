"""A checkpoint as stock dynamic int8: what `evaluate batch-size --against` compares our own int8 with.

    python -m benchmarks.stock_int8 --checkpoint runs/sentiment --out build/stock-int8.onnx

The same float32 graph that `python -m export` makes, quantized by optimum's ready-made configuration: one
activation scale for a whole tensor, all rows of the batch and their padding included. Needs requirements-export.txt.
"""

import shutil
import tempfile
from pathlib import Path

import click
from optimum.onnxruntime import ORTQuantizer
from optimum.onnxruntime.configuration import AutoQuantizationConfig

from export.checkpoint import load_checkpoint
from export.convert import convert

CONFIGS = {"avx2": AutoQuantizationConfig.avx2, "avx512_vnni": AutoQuantizationConfig.avx512_vnni}


@click.command(help=__doc__)
@click.option("--checkpoint", type=click.Path(exists=True, file_okay=False, path_type=Path), required=True)
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), required=True, help="ONNX file to write.")
@click.option("--config", type=click.Choice(sorted(CONFIGS)), default="avx512_vnni", show_default=True)
def main(checkpoint: Path, out: Path, config: str) -> None:
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as work:
        float32 = convert(load_checkpoint(checkpoint).model, Path(work))
        quantizer = ORTQuantizer.from_pretrained(float32.parent, file_name=float32.name)
        quantizer.quantize(CONFIGS[config](is_static=False, per_channel=False), Path(work) / "int8")
        (made,) = (Path(work) / "int8").glob("*.onnx")
        shutil.move(made, out)
    click.echo(f"{out}: {out.stat().st_size / 1e6:.1f} MB, {config}, dynamic, per tensor")


if __name__ == "__main__":
    main()
