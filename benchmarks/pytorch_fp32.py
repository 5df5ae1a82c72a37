"""PyTorch float32 against the exported model, one text at a time, in turn in one run.

    python -m benchmarks.pytorch_fp32 --checkpoint runs/sentiment --model models/sentiment

Both run the same texts of `--tokens` tokens on the same CPUs; the medians and their ratio are printed.
"""

import time
from pathlib import Path

import click
import numpy as np
import torch
from transformers import BertForSequenceClassification

from structbert_lite.inference.model import Session
from structbert_lite.inference.resources import usable_cpus
from structbert_lite.inference.tokenizer import Encoding
from structbert_lite.manifest import MODEL_NAME, read_manifest

FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@click.command(help=__doc__)
@click.option("--checkpoint", type=FOLDER, required=True, help="Hugging Face folder of the same model.")
@click.option("--model", type=FOLDER, required=True, help="Exported model folder.")
@click.option("--tokens", type=click.IntRange(3, 512), default=32, show_default=True)
@click.option("--rounds", type=click.IntRange(1), default=100, show_default=True)
def main(checkpoint: Path, model: Path, tokens: int, rounds: int) -> None:
    manifest = read_manifest(model)
    session = Session(model / MODEL_NAME, manifest.inputs, manifest.pad_id)
    torch.set_num_threads(usable_cpus())
    reference = BertForSequenceClassification.from_pretrained(checkpoint).eval()
    rng = np.random.default_rng(0)
    ours, theirs = [], []
    with torch.inference_mode():
        for _ in range(rounds + 5):
            ids = [101, *rng.integers(700, 8000, tokens - 2).tolist(), 102]
            began = time.perf_counter()
            session.run([Encoding(ids, [0] * tokens, False)])
            between = time.perf_counter()
            tensors = torch.tensor([ids])
            reference(tensors, torch.ones_like(tensors))
            ours.append(between - began)
            theirs.append(time.perf_counter() - between)
    a, b = np.median(ours[5:]) * 1000, np.median(theirs[5:]) * 1000
    click.echo(f"{tokens} tokens: ours {a:.2f} ms, PyTorch float32 {b:.2f} ms, {b / a:.2f} times faster")


if __name__ == "__main__":
    main()
