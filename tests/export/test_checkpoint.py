# ruff: noqa: E402 - what needs torch is imported after the check that it is there
"""Every layout of a checkpoint gives the same numbers; whatever does not fit is refused by name."""

import json
import shutil
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="needs requirements-export.txt")
pytest.importorskip("transformers", reason="needs requirements-export.txt")

from export.checkpoint import load_checkpoint
from export.refusal import ExportRefused
from tests.export.make_checkpoint import make_model, spell_keys, write_hugging_face, write_modelscope

IDS = torch.tensor([[101, 113, 150, 151, 102, 0, 0], [101, 200, 201, 202, 203, 204, 102]])
MASK = (IDS != 0).long()
TYPES = torch.tensor([[0, 0, 0, 1, 1, 0, 0], [0, 0, 0, 0, 1, 1, 1]])


def logits(model) -> torch.Tensor:
    with torch.inference_mode():
        return model(input_ids=IDS, attention_mask=MASK, token_type_ids=TYPES).logits


def respell(checkpoint: Path, tensors: dict) -> Path:
    torch.save(tensors, checkpoint / "pytorch_model.bin")
    return checkpoint


def change_config(checkpoint: Path, **changes: object) -> Path:
    config = json.loads((checkpoint / "config.json").read_text("utf-8")) | changes
    kept = {name: value for name, value in config.items() if value is not None}
    (checkpoint / "config.json").write_text(json.dumps(kept), "utf-8")
    return checkpoint


def refusal(checkpoint: Path) -> str:
    with pytest.raises(ExportRefused) as caught:
        load_checkpoint(checkpoint)
    return str(caught.value)


@pytest.mark.parametrize("head", ["classifier.", "head.classifier."])
@pytest.mark.parametrize("prefix", ["encoder.", "bert.", ""])
def test_every_prefix_and_head_gives_the_same_logits(tmp_path, model, vocabulary, prefix, head):
    folder = write_modelscope(tmp_path / "checkpoint", model, vocabulary, prefix=prefix, head=head)
    loaded = load_checkpoint(folder)
    assert torch.equal(logits(loaded.model), logits(model))
    assert loaded.layout == f"modelscope, pytorch_model.bin, prefix {prefix or 'none'}, head {head}"
    assert loaded.label_names == "label_mapping.json"


@pytest.mark.parametrize(
    "spelling", [{"wrapper": "module."}, {"wrapper": "model."}, {"old_names": True}, {"wrapper": "module.model."}]
)
@pytest.mark.parametrize("prefix", ["encoder.", ""])
def test_wrappers_and_old_layer_norm_names(checkpoint, model, spelling, prefix):
    respell(checkpoint, spell_keys(model, prefix=prefix, **spelling))
    assert torch.equal(logits(load_checkpoint(checkpoint).model), logits(model))


def test_tensors_of_pretraining_and_adversarial_training_are_dropped(checkpoint, model):
    extra = {"cls.predictions.bias": torch.ones(3), "encoder.adv_sigma": torch.ones(1), "lm_head.weight": torch.ones(2)}
    respell(checkpoint, spell_keys(model) | extra)
    assert torch.equal(logits(load_checkpoint(checkpoint).model), logits(model))


def test_half_precision_is_widened(checkpoint, model):
    respell(
        checkpoint,
        {key: value.half() if value.is_floating_point() else value for key, value in spell_keys(model).items()},
    )
    loaded = load_checkpoint(checkpoint).model
    assert {tensor.dtype for tensor in loaded.parameters()} == {torch.float32}
    assert torch.allclose(logits(loaded), logits(model), atol=2e-2)


def test_hugging_face_folder_with_safetensors(tmp_path):
    reference = make_model(seed=3)
    loaded = load_checkpoint(write_hugging_face(tmp_path / "trained", reference, "{}"))
    assert torch.equal(logits(loaded.model), logits(reference))
    assert loaded.layout == "hugging face, model.safetensors, prefix bert., head classifier."
    assert loaded.label_names == "config.json label2id"


def test_what_config_json_leaves_out(checkpoint):
    config = load_checkpoint(checkpoint).config
    assert (config.layer_norm_eps, config.pad_token_id, config.hidden_act) == (1e-12, 0, "gelu")


@pytest.mark.parametrize(
    ("extra", "cause"),
    [
        ({"plm.embeddings.word_embeddings.weight": 1}, "siamese-uie or siamese-uninlu span extractor"),
        ({"roberta.embeddings.word_embeddings.weight": 1}, "XLM-RoBERTa"),
        ({"encoder.encoder.layer.0.extra.weight": 1}, "unexpected key bert.encoder.layer.0.extra.weight"),
        ({"something.else": 1}, "unexpected key something.else"),
        ({"bert.pooler.dense.weight": 1}, "unexpected key bert.pooler.dense.weight"),
        ({"head.classifier.weight": 1}, "unexpected key classifier.weight"),
        ({"module.classifier.bias": 1}, "wrapper"),
    ],
)
def test_keys_of_another_model_are_named(checkpoint, model, extra, cause):
    if cause == "wrapper":  # the same key with and without one: the later one would win silently
        cause = "holds classifier.bias twice"
    respell(checkpoint, spell_keys(model) | {key: torch.ones(size) for key, size in extra.items()})
    assert cause in refusal(checkpoint)


@pytest.mark.parametrize(
    "key", ["encoder.pooler.dense.bias", "classifier.bias", "encoder.encoder.layer.1.output.dense.weight"]
)
def test_a_missing_tensor_is_named(checkpoint, model, key):
    tensors = spell_keys(model)
    del tensors[key]
    respell(checkpoint, tensors)
    assert f"lacks {key.replace('encoder.', 'bert.', 1)}" in refusal(checkpoint)


def test_an_encoder_without_a_classifier(checkpoint, model):
    respell(checkpoint, {key: value for key, value in spell_keys(model).items() if "classifier" not in key})
    assert "encoder without a classifier" in refusal(checkpoint)


def test_weights_that_are_no_bert(checkpoint):
    respell(checkpoint, {"conv1.weight": torch.ones(2), "classifier.weight": torch.ones(2, 2)})
    assert "not a BERT model: its first key is conv1.weight" in refusal(checkpoint)


def test_three_labels(tmp_path, vocabulary):
    folder = write_modelscope(tmp_path / "nli", make_model(labels=3), vocabulary)
    assert "classifier has 3 labels, sentiment needs 2" in refusal(folder)


@pytest.mark.parametrize(
    ("name", "value", "true"),
    [
        ("hidden_size", 64, 32),
        ("num_hidden_layers", 3, 2),
        ("vocab_size", 21128, 2000),
        ("max_position_embeddings", 512, 64),
        ("type_vocab_size", 1, 2),
        ("intermediate_size", 3072, 128),
    ],
)
def test_config_that_disagrees_with_the_weights(checkpoint, name, value, true):
    assert (
        refusal(change_config(checkpoint, **{name: value}))
        == f"config.json says {name} {value}, the weights have {true}"
    )


@pytest.mark.parametrize(
    ("changes", "cause"),
    [
        ({"model_type": "xlm-roberta"}, "model_type xlm-roberta, which is not a BERT model"),
        ({"hidden_act": "relu"}, "hidden_act relu, only gelu"),
        ({"position_embedding_type": "relative_key"}, "position_embedding_type relative_key, only absolute"),
        ({"num_attention_heads": 5}, "5 attention heads do not divide"),
        ({"hidden_size": None}, "no usable hidden_size: it is missing"),
        ({"vocab_size": "21128"}, "no usable vocab_size: 21128"),
        ({"layer_norm_eps": "1e-12"}, "no usable layer_norm_eps: 1e-12"),
        ({"pad_token_id": -1}, "no usable pad_token_id: -1"),
    ],
)
def test_config_that_cannot_be_used(checkpoint, changes, cause):
    assert cause in refusal(change_config(checkpoint, **changes))


@pytest.mark.parametrize("name", ["layer_norm_eps", "pad_token_id"])
def test_a_null_in_config_is_no_number_and_no_default(checkpoint, name):
    config = json.loads((checkpoint / "config.json").read_text("utf-8")) | {name: None}
    (checkpoint / "config.json").write_text(json.dumps(config), "utf-8")
    assert f"config.json gives no usable {name}: None" in refusal(checkpoint)


def test_config_that_is_missing_or_malformed(checkpoint):
    (checkpoint / "config.json").write_text('{"hidden_size": ', "utf-8")
    assert "config.json is not valid JSON" in refusal(checkpoint)
    (checkpoint / "config.json").unlink()
    assert "has no config.json" in refusal(checkpoint)


def test_a_wrong_shape_is_named(checkpoint, model):
    respell(checkpoint, spell_keys(model) | {"encoder.pooler.dense.weight": torch.ones(32, 31)})
    assert "bert.pooler.dense.weight has the shape [32, 31], config.json asks for [32, 32]" in refusal(checkpoint)


@pytest.mark.parametrize(
    ("tensor", "cause"),
    [(torch.full((32,), float("nan")), "not finite"), (torch.ones(32, dtype=torch.int8), "torch.int8")],
)
def test_numbers_that_are_no_weights(checkpoint, model, tensor, cause):
    respell(checkpoint, spell_keys(model) | {"encoder.pooler.dense.bias": tensor})
    assert cause in refusal(checkpoint)


def test_safetensors_come_first(checkpoint, tmp_path):
    trained = make_model(seed=4)
    write_hugging_face(tmp_path / "trained", trained, "{}")
    shutil.copy(tmp_path / "trained" / "model.safetensors", checkpoint)
    assert torch.equal(logits(load_checkpoint(checkpoint).model), logits(trained))
