from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs requirements-train.txt")
transformers = pytest.importorskip("transformers", reason="needs requirements-train.txt")

from tokenizers import Tokenizer  # noqa: E402

from tests.tiny_models import TOKENIZER  # noqa: E402
from training.classifier import predict, train  # noqa: E402
from training.loop import Recipe  # noqa: E402

TEXTS = ["好" * (n % 5 + 1) for n in range(30)] + ["坏" * (n % 5 + 1) for n in range(30)]
TARGETS = torch.tensor([[0.0, 1.0]] * 30 + [[1.0, 0.0]] * 30)
RECIPE = Recipe(epochs=3, learning_rate=1e-2, token_budget=64, max_length=16)


@pytest.fixture
def tokenizer() -> Tokenizer:
    tokenizer = Tokenizer.from_file(str(TOKENIZER))
    tokenizer.no_padding()
    return tokenizer


def make_model() -> torch.nn.Module:
    torch.manual_seed(1)
    sizes = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 64}
    config = transformers.BertConfig(vocab_size=21128, num_labels=2, hidden_dropout_prob=0.1, **sizes)
    return transformers.BertForSequenceClassification(config)


class Stopped(Exception):
    pass


def stop(epoch: int, model: object) -> None:
    if epoch == 2:
        raise Stopped


def test_it_learns(tokenizer: Tokenizer, tmp_path: Path) -> None:
    epochs: list[int] = []
    model = train(make_model(), tokenizer, TEXTS, TARGETS, RECIPE, tmp_path, lambda epoch, _: epochs.append(epoch))
    probabilities = predict(model, tokenizer, ["好好", "坏坏"], 16, bf16=False)
    assert np.allclose(probabilities.sum(1), 1)
    assert probabilities.argmax(1).tolist() == [1, 0]
    assert epochs == [1, 2, 3]


def test_a_stopped_run_goes_on_to_the_same_weights(tokenizer: Tokenizer, tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    whole = train(make_model(), tokenizer, TEXTS, TARGETS, RECIPE, tmp_path / "a", lambda *_: None)
    with pytest.raises(Stopped):
        train(make_model(), tokenizer, TEXTS, TARGETS, RECIPE, tmp_path / "b", stop)
    resumed = train(make_model(), tokenizer, TEXTS, TARGETS, RECIPE, tmp_path / "b", lambda *_: None)
    for name, weight in whole.state_dict().items():
        assert torch.equal(weight, resumed.state_dict()[name]), name


def test_it_stops_when_told(tokenizer: Tokenizer, tmp_path: Path) -> None:
    epochs: list[int] = []

    def stop_early(epoch: int, model: object) -> bool:
        epochs.append(epoch)
        return epoch == 2

    train(make_model(), tokenizer, TEXTS, TARGETS, RECIPE, tmp_path, stop_early)
    assert epochs == [1, 2]
