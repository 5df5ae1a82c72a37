"""A checkpoint as stock dynamic int8: what `evaluate batch-size --against` compares our own int8 with.

    python -m benchmarks.stock_int8 --checkpoint runs/sentiment --out build/stock-int8.onnx
    python -m benchmarks.stock_int8 --checkpoint runs/similarity --task similarity --out build/stock-int8.onnx

Of a Siamese model it is the encoder; its matcher stays the exported model's.
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
from export.pooling import POOLINGS
from export.tasks import TASKS

CONFIGS = {"avx2": AutoQuantizationConfig.avx2, "avx512_vnni": AutoQuantizationConfig.avx512_vnni}


@click.command(help=__doc__)
@click.option("--checkpoint", type=click.Path(exists=True, file_okay=False, path_type=Path), required=True)
@click.option("--task", type=click.Choice(sorted(TASKS)), default="sentiment", show_default=True)
@click.option("--pooling", type=click.Choice(POOLINGS), help="Of an encoder whose checkpoint does not say it.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), required=True, help="ONNX file to write.")
@click.option("--config", type=click.Choice(sorted(CONFIGS)), default="avx512_vnni", show_default=True)
def main(checkpoint: Path, task: str, pooling: str | None, out: Path, config: str) -> None:
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as work:
        loaded = load_checkpoint(checkpoint, task, pooling=pooling)
        float32 = convert(loaded.model, Path(work), loaded.pooling, loaded.architecture.inputs)
        quantizer = ORTQuantizer.from_pretrained(float32.parent, file_name=float32.name)
        quantizer.quantize(CONFIGS[config](is_static=False, per_channel=False), Path(work) / "int8")
        (made,) = (Path(work) / "int8").glob("*.onnx")
        shutil.move(made, out)
    click.echo(f"{out}: {out.stat().st_size / 1e6:.1f} MB, {config}, dynamic, per tensor")


if __name__ == "__main__":
    main()
