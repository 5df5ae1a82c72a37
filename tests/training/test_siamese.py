import json
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs requirements-train.txt")
transformers = pytest.importorskip("transformers", reason="needs requirements-train.txt")

from safetensors.torch import load_file  # noqa: E402
from tokenizers import Tokenizer  # noqa: E402

from tests.tiny_models import TOKENIZER  # noqa: E402
from training.examples import encode  # noqa: E402
from training.loop import PAD, pad  # noqa: E402
from training.siamese import Siamese, encode_texts, load_siamese, save_siamese  # noqa: E402
from training.similarity import pair_loss  # noqa: E402

TEXTS = ["今天天气很好", "明天会下雨吗，我要不要带伞出门", "花呗怎么还款"]


@pytest.fixture
def model() -> Siamese:
    torch.manual_seed(3)
    sizes = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 64}
    config = transformers.BertConfig(vocab_size=21128, attn_implementation="eager", **sizes)
    model = Siamese(transformers.BertModel(config, add_pooling_layer=False)).eval()
    torch.nn.init.normal_(model.fc.weight)
    return model


def test_vectors_are_of_unit_length_and_padding_does_not_count(model: Siamese) -> None:
    tokenizer = Tokenizer.from_file(str(TOKENIZER))
    tokenizer.no_padding()
    ids = pad(encode(tokenizer, TEXTS, 64))
    together = model.vectors(ids, ids != PAD).detach()
    assert torch.allclose(together.norm(dim=1), torch.ones(3))
    for row, text in enumerate(TEXTS):
        alone = pad(encode(tokenizer, [text], 64))
        assert torch.allclose(model.vectors(alone, alone != PAD).detach()[0], together[row], atol=1e-5)


def test_what_is_saved_has_the_weights_of_plain_features(model: Siamese, tmp_path: Path) -> None:
    save_siamese(model, TOKENIZER, tmp_path)
    again = load_siamese(tmp_path).eval()
    tokenizer = Tokenizer.from_file(str(TOKENIZER))
    tokenizer.no_padding()
    u, v = (torch.from_numpy(encode_texts(again, tokenizer, [text])) for text in TEXTS[:2])
    stored = load_file(tmp_path / "model.safetensors")
    features = torch.cat([(u - v).abs(), u * v], 1)
    plain = features @ stored["fc.weight"].T + stored["fc.bias"]
    assert np.allclose(plain.numpy(), again.match(u, v).detach().numpy(), atol=1e-5)
    assert torch.allclose(again.match(u, v), model.match(u, v), atol=1e-4)
    facts = json.loads((tmp_path / "config.json").read_text("utf-8"))
    assert facts["siamese"] == {"pooling": "mean", "features": ["abs_diff", "product"], "normalize": True}
    assert facts["hidden_size"] == 32


def test_texts_of_another_meaning_teach_the_matcher_and_not_the_encoder(model: Siamese) -> None:
    u, same, other = (
        torch.nn.functional.normalize(torch.randn(4, 32, generator=torch.Generator().manual_seed(seed)), dim=-1)
        for seed in range(3)
    )
    sides = [side.requires_grad_() for side in (u, same, other)]
    pair_loss(model, sides, [True, False]).backward()
    assert sides[0].grad is not None
    assert sides[1].grad is not None
    assert sides[2].grad is None
    assert model.fc.weight.grad is not None
    assert bool(model.fc.weight.grad.any())


def test_a_text_nearest_to_its_own_paraphrase_costs_less(model: Siamese) -> None:
    vectors = torch.eye(32)[:6]
    right, wrong = (
        pair_loss(model, [vectors, vectors, vectors], [True, False]),
        pair_loss(model, [vectors, vectors.roll(1, 0), vectors], [True, False]),
    )
    assert right < wrong
