# ruff: noqa: E402 - what needs torch is imported after the check that it is there
"""A reranker with bge-reranker-v2-m3's own embedding table, 250,002 rows of 1024, and two layers: 1.2 GB.

Takes minutes and 6 GB of memory, so it runs only on demand: EXPORT_LARGE=1 python -m pytest tests/export/test_large.py
"""

import os

import numpy as np
import pytest

if os.environ.get("EXPORT_LARGE") != "1":
    pytest.skip("takes minutes; EXPORT_LARGE=1 runs it", allow_module_level=True)
torch = pytest.importorskip("torch", reason="needs requirements-export.txt")
pytest.importorskip("optimum.exporters.onnx", reason="needs requirements-export.txt")

from export.encoding import encode, load_tokenizer
from export.run import Export, run_export
from export.session import open_session, run
from export.source import Source
from structbert_lite.manifest import read_manifest
from tests.export.make_pairs_checkpoint import make_unigram, make_xlm_roberta, write_xlm_roberta

PAIRS = [("手机屏幕怎么换", "如何更换手机屏幕？"), ("明天会下雨吗", "好")]


def test_the_true_embedding_table(tmp_path):
    model = make_xlm_roberta(vocabulary=250_002, hidden=1024, heads=16, positions=8194)
    folder = write_xlm_roberta(tmp_path / "bge", model, make_unigram(2000), "700MB")
    texts = tmp_path / "texts.txt"
    texts.write_text("\n".join(text for pair in PAIRS for text in pair), "utf-8")
    out = run_export(Export(Source(folder, "bge"), tmp_path / "model", texts, "rerank", 0.0))
    manifest = read_manifest(out)
    assert (manifest.max_tokens, manifest.quantization["int8_tables"]) == (512, 2)
    assert manifest.files["model.onnx"].bytes < 320e6
    tokenizer = load_tokenizer(out / "tokenizer.json", 512, 1)
    inputs = {n: torch.from_numpy(a) for n, a in encode(tokenizer, PAIRS, manifest.inputs).items()}
    with torch.inference_mode():
        expected = model(**inputs).logits.numpy()
    assert np.abs(run(open_session(out / "model.onnx"), tokenizer, PAIRS) - expected).max() < 0.2
