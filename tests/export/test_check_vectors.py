# ruff: noqa: E402 - what needs torch is imported after the check that it is there
"""The checks of encoders and of one-logit models pass a true export and stop a false one."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs requirements-export.txt")
pytest.importorskip("optimum.exporters.onnx", reason="needs requirements-export.txt")

from export.check_vectors import check_int8_vectors, check_matcher
from export.checks import check_int8, check_parity
from export.convert import convert
from export.pairs import make_pairs
from export.quantize import quantize
from export.refusal import ExportRefused
from export.siamese import SiameseHead
from export.texts import PARITY_TEXTS
from tests.export.make_checkpoint import make_model
from tests.export.make_pairs_checkpoint import HIDDEN, make_encoder

TEXTS = PARITY_TEXTS[:6]


@pytest.fixture(scope="module")
def encoder():
    return make_encoder().eval()


@pytest.fixture(scope="module")
def graph(encoder, tmp_path_factory):
    return convert(encoder, tmp_path_factory.mktemp("encoder"), "mean")


@pytest.fixture(scope="module")
def head() -> SiameseHead:
    torch.manual_seed(0)
    return SiameseHead(("abs_diff", "product"), True, torch.nn.Linear(2 * HIDDEN, 1), ())


def test_vectors_of_another_model(graph, tokenizer):
    with pytest.raises(ExportRefused, match=r"differs from PyTorch by .* in a vector"):
        check_parity(make_encoder(seed=1).eval(), graph, tokenizer, TEXTS, "mean")


def test_a_matcher_of_another_head(encoder, graph, head, tokenizer):
    pairs = make_pairs(TEXTS)
    assert check_matcher(encoder, head, "mean", graph, tokenizer, pairs) < 1e-5
    other = SiameseHead(head.features, False, head.linear, ())
    other.fold = head.fold
    with pytest.raises(ExportRefused, match="the folded matcher differs from PyTorch"):
        check_matcher(encoder, other, "mean", graph, tokenizer, pairs)


def test_int8_vectors(graph, head, tokenizer, tmp_path):
    quantize(graph, tmp_path / "int8.onnx", {})
    facts = check_int8_vectors(graph, tmp_path / "int8.onnx", tokenizer, TEXTS, 0.9, (head.fold(), make_pairs(TEXTS)))
    assert 0.9 < facts["lowest_cosine"] <= facts["mean_cosine"] <= 1
    assert (facts["texts"], facts["pairs"], facts["batch_max_difference"]) == (6, 6, 0.0)
    assert 0 < facts["mean_logit_difference"] <= facts["max_logit_difference"]
    with pytest.raises(ExportRefused, match=r"a mean cosine of 0\.9\d+ .* the bound is 1\.0000"):
        check_int8_vectors(graph, tmp_path / "int8.onnx", tokenizer, TEXTS, 1.0)


def test_int8_scores_that_no_longer_follow(tokenizer, tmp_path):
    graphs = [convert(make_model(labels=1, seed=seed), tmp_path / str(seed)) for seed in (0, 1)]
    pairs = make_pairs(TEXTS)
    same = check_int8(graphs[0], graphs[0], tokenizer, pairs, 1 - 1e-6, reads_pairs=True)
    assert same["correlation"] == pytest.approx(1)
    with pytest.raises(ExportRefused, match=r"correlate with the float32 model's by .* the bound is 0\.980"):
        check_int8(graphs[0], graphs[1], tokenizer, pairs, 0.98, reads_pairs=True)


def test_numbers_that_are_not_finite(graph, encoder, tokenizer, tmp_path):
    broken = make_encoder()
    with torch.no_grad():
        broken.encoder.layer[1].output.LayerNorm.bias[0] = np.nan
    other = convert(broken.eval(), tmp_path, "mean")
    with pytest.raises(ExportRefused, match="vectors that are not finite"):
        check_int8_vectors(graph, other, tokenizer, TEXTS, 0.0)
