# ruff: noqa: E402 - what needs torch is imported after the check that it is there
"""A Siamese head is read strictly, and folded into one linear layer that gives PyTorch's logits."""

import json

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs requirements-export.txt")
pytest.importorskip("transformers", reason="needs requirements-export.txt")

from export.refusal import ExportRefused
from export.siamese import SiameseHead, read_head
from tests.export.make_pairs_checkpoint import HIDDEN, OURS, make_batch_norm, make_head

NORMS = make_batch_norm("bn1") | make_batch_norm("bn2")


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    return tmp_path


def state(folder, siamese):
    (folder / "config.json").write_text(json.dumps({"siamese": siamese}))
    return folder


def refusal(folder, tensors) -> str:
    with pytest.raises(ExportRefused) as caught:
        read_head(folder, tensors, HIDDEN)
    return str(caught.value)


def vectors(count: int = 9) -> tuple[torch.Tensor, torch.Tensor]:
    torch.manual_seed(7)
    return torch.randn(count, HIDDEN), torch.randn(count, HIDDEN)


@pytest.mark.parametrize("outputs", [1, 2])
@pytest.mark.parametrize("normalize", [True, False])
@pytest.mark.parametrize("features", [["abs_diff", "product"], ["product", "u", "abs_diff", "v"], ["u", "v"]])
def test_the_folded_matcher_gives_the_same_logits(folder, outputs, normalize, features):
    siamese = {"features": features, "normalize": normalize}
    head = read_head(state(folder, siamese), make_head(len(features), outputs), HIDDEN)
    u, v = vectors()
    with torch.inference_mode():
        expected = head(u, v).numpy()
    np.testing.assert_allclose(head.fold().logits(u.numpy(), v.numpy()), expected, atol=1e-4)


def test_by_hand(folder):
    """Our layout: |u - v| and u v of unit vectors, in this order."""
    weight = torch.cat([torch.full((HIDDEN,), 2.0), torch.full((HIDDEN,), 3.0)])[None]
    head = read_head(state(folder, OURS), {"fc.weight": weight, "fc.bias": torch.tensor([0.5])}, HIDDEN)
    u, v = (x.numpy().astype(np.float64) for x in vectors(1))
    u, v = u / np.linalg.norm(u), v / np.linalg.norm(v)
    expected = 2 * np.abs(u - v).sum() + 3 * (u * v).sum() + 0.5
    assert head.fold().logits(*(x.numpy() for x in vectors(1))) == pytest.approx([expected], abs=1e-5)


@pytest.mark.parametrize("outputs", [1, 2])
def test_batch_norm_is_folded_with_its_statistics(folder, outputs):
    head = read_head(folder, make_head(2, outputs) | NORMS, HIDDEN)
    assert (head.features, head.normalize) == (("u", "v"), False)
    u, v = vectors()
    sides = []
    for name, x in (("bn1", u), ("bn2", v)):
        mean, variance, weight, bias = (
            NORMS[f"{name}.{key}"] for key in ("running_mean", "running_var", "weight", "bias")
        )
        sides.append((x - mean) / torch.sqrt(variance + 1e-5) * weight + bias)
    out = torch.cat(sides, dim=1) @ make_head(2, outputs)["fc.weight"].T + make_head(2, outputs)["fc.bias"]
    expected = (out[:, 1] - out[:, 0] if outputs == 2 else out[:, 0]).numpy()
    np.testing.assert_allclose(head.fold().logits(u.numpy(), v.numpy()), expected, atol=1e-4)


def test_the_reference_does_not_depend_on_the_batch(folder):
    head: SiameseHead = read_head(folder, make_head(2) | NORMS, HIDDEN)
    assert not any(module.training for module in head.modules())
    u, v = vectors()
    with torch.inference_mode():
        torch.testing.assert_close(head(u, v)[:1], head(u[:1], v[:1]), atol=1e-5, rtol=0)


def test_batch_norm_without_weights_of_its_own(folder):
    plain = {key: value for key, value in NORMS.items() if not key.endswith(("weight", "bias"))}
    head = read_head(folder, make_head(2) | plain, HIDDEN)
    u, v = vectors()
    with torch.inference_mode():
        expected = head(u, v).numpy()
    np.testing.assert_allclose(head.fold().logits(u.numpy(), v.numpy()), expected, atol=1e-4)


@pytest.mark.parametrize(
    ("changes", "cause"),
    [
        ({"bn1.num_batches_tracked": torch.tensor(0)}, "statistics of the checkpoint's bn1 were never updated"),
        (
            {"bn2.running_mean": torch.zeros(HIDDEN), "bn2.running_var": torch.ones(HIDDEN)},
            "statistics of the checkpoint's bn2 were never updated",
        ),
        ({"bn1.running_mean": None}, "bn1 has no running_mean, so it would depend on the batch"),
        ({"bn2.running_var": None}, "bn2 has no running_var"),
        ({"bn1.weight": torch.ones(3)}, "bn1 is no BatchNorm1d over 32 channels"),
        ({"bn1.running_var": -torch.ones(HIDDEN)}, "a negative variance"),
        ({"bn1.bias": torch.full((HIDDEN,), float("nan"))}, "not finite"),
        ({"fc.bias": None}, "lacks fc.weight or fc.bias"),
        ({"fc.weight": torch.ones(1, 2 * HIDDEN - 1)}, "has the shape [1, 63]"),
        ({"fc.weight": torch.ones(3, 2 * HIDDEN), "fc.bias": torch.ones(3)}, "ask for [1 or 2, 64]"),
        ({"fc.weight": torch.full((1, 2 * HIDDEN), float("inf"))}, "fc.weight holds numbers that are not finite"),
        ({"fc.scale": torch.ones(1)}, "unexpected key fc.scale"),
    ],
)
def test_heads_that_do_not_fit(folder, changes, cause):
    tensors = {key: value for key, value in (make_head(2) | NORMS | changes).items() if value is not None}
    assert cause in refusal(folder, tensors)


@pytest.mark.parametrize(
    ("siamese", "features", "cause"),
    [
        ({}, 3, "fc.weight reads 3 features; config.json has to name them"),
        ({"features": ["u", "sum"]}, 2, "a list of u, v, abs_diff, product"),
        ({"features": []}, 1, "config.json has to name them"),
        ({"features": ["u", "v", "product"]}, 2, "has the shape [1, 64]"),
        ([], 2, "siamese section is not an object"),
    ],
)
def test_features_that_are_not_stated(folder, siamese, features, cause):
    assert cause in refusal(state(folder, siamese), make_head(features))


def test_batch_norm_in_front_of_other_features(folder):
    assert "only be folded in front of the features u, v" in refusal(state(folder, OURS), make_head(2) | NORMS)
