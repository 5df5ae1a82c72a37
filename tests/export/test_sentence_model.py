# ruff: noqa: E402 - what needs torch is imported after the check that it is there
"""What sentence-transformers writes beside an encoder: poolings of any release, dense layers, limits, prompts."""

import json
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs requirements-export.txt")
pytest.importorskip("optimum.exporters.onnx", reason="needs requirements-export.txt")

from safetensors.torch import save_file

from export.checkpoint import load_checkpoint
from export.encoding import encode
from export.refusal import ExportRefused
from export.run import Export, run_export
from export.sentence_model import read_sentence_model
from export.source import Source
from structbert_lite.manifest import read_manifest
from structbert_lite.registry import open_pipeline
from structbert_lite.request_context import RequestContext
from tests.export.make_pairs_checkpoint import make_encoder, write_encoder

TEXTS = ["手机屏幕怎么换", "如何更换手机屏幕？", "明天北京会下雨吗", "好", "房间很干净，早餐也不错。", "退货运费谁出"]
PROMPT = "为这个句子生成表示："
OLD = "sentence_transformers.models."
NEW = "sentence_transformers.sentence_transformer.modules."


def write(path: Path, content: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, ensure_ascii=False), "utf-8")


def write_modules(folder: Path, *names: str, package: str = OLD) -> None:
    """modules.json as sentence-transformers has it: the encoder in the folder itself, the others each in their own."""
    modules = [
        {"idx": i, "name": str(i), "path": f"{i}_{name}" if i else "", "type": f"{package}{name}"}
        for i, name in enumerate(("Transformer", *names))
    ]
    write(folder / "modules.json", modules)


def write_dense(folder: Path, sizes: tuple[int, int], activation: str, seed: int = 3) -> torch.nn.Linear:
    torch.manual_seed(seed)
    linear = torch.nn.Linear(*sizes)
    facts = {"in_features": sizes[0], "out_features": sizes[1], "bias": True, "activation_function": activation}
    write(folder / "config.json", facts)
    save_file({f"linear.{key}": value for key, value in linear.state_dict().items()}, folder / "model.safetensors")
    return linear


@pytest.mark.parametrize(
    ("stated", "found"),
    [
        ({"embedding_dimension": 32, "pooling_mode": "mean", "include_prompt": True}, "mean"),
        ({"embedding_dimension": 32, "pooling_mode": "cls"}, "cls"),
        ({"pooling_mode": ["mean"]}, "mean"),
        ({"pooling_mode": ["mean", "cls"]}, None),
        ({"pooling_mode": "lasttoken"}, None),
        ({"pooling_mode_mean_tokens": True, "pooling_mode_cls_token": False}, "mean"),
        ({"pooling_mode_max_tokens": True}, None),
        ({}, "nothing"),
    ],
)
def test_the_pooling_of_any_release(tmp_path: Path, stated: dict, found: str | None) -> None:
    write_modules(tmp_path, "Pooling", "Normalize", package=NEW)
    write(tmp_path / "1_Pooling" / "config.json", stated)
    if found is None:
        with pytest.raises(ExportRefused, match="only mean or cls can be exported"):
            read_sentence_model(tmp_path)
    else:
        assert read_sentence_model(tmp_path).pooling == (None if found == "nothing" else found)


def test_what_the_caller_says_against_the_new_form_is_refused(tmp_path: Path, tokenizer: object) -> None:
    folder = write_encoder(tmp_path / "trained", make_encoder(), tokenizer.to_str())
    write(folder / "1_Pooling" / "config.json", {"embedding_dimension": 32, "pooling_mode": "cls"})
    with pytest.raises(ExportRefused, match="--pooling says mean, the checkpoint says cls"):
        load_checkpoint(folder, "embedding", pooling="mean")


def test_limit_and_prompt(tmp_path: Path) -> None:
    assert read_sentence_model(tmp_path) == read_sentence_model(tmp_path / "nowhere")
    write(tmp_path / "sentence_bert_config.json", {"max_seq_length": 50, "do_lower_case": False})
    write(tmp_path / "tokenizer_config.json", {"model_max_length": 40})
    assert read_sentence_model(tmp_path).max_tokens == 50
    prompts = {"prompts": {"query": PROMPT, "document": ""}, "default_prompt_name": None}
    write(tmp_path / "config_sentence_transformers.json", prompts)
    found = read_sentence_model(tmp_path)
    assert (found.max_tokens, found.prompt) == (50, "")
    write(tmp_path / "config_sentence_transformers.json", prompts | {"default_prompt_name": "query"})
    assert read_sentence_model(tmp_path).prompt == PROMPT


@pytest.mark.parametrize(("stated", "found"), [(40, 40), (int(1e30), None), (1e30, None), (None, None)])
def test_release_6_keeps_the_limit_in_the_tokenizers_file(tmp_path: Path, stated: object, found: int | None) -> None:
    write(tmp_path / "tokenizer_config.json", {"model_max_length": stated})
    assert read_sentence_model(tmp_path).max_tokens is None  # a checkpoint of another library
    write_modules(tmp_path, "Pooling", package=NEW)
    assert read_sentence_model(tmp_path).max_tokens == found


@pytest.mark.parametrize(
    ("name", "content", "cause"),
    [
        (
            "modules.json",
            [{"type": f"{OLD}WeightedLayerPooling", "path": "1"}],
            "WeightedLayerPooling, which cannot be",
        ),
        ("modules.json", [{"type": f"{OLD}Dense", "path": "../other"}], "../other, which is not in"),
        ("modules.json", [{"type": f"{OLD}Transformer", "path": "0_Transformer"}], "put its files beside modules.json"),
        ("modules.json", {}, "does not hold an array of objects"),
        ("2_Dense/config.json", {}, "has 2_Dense and no modules.json"),
        ("sentence_bert_config.json", {"do_lower_case": True}, "if the tokenizer does that itself, take the line out"),
        ("sentence_bert_config.json", {"max_seq_length": "512"}, "no usable max_seq_length: 512"),
        ("config_sentence_transformers.json", {"default_prompt_name": "q"}, "the default_prompt_name 'q' and no such"),
    ],
)
def test_what_cannot_be_kept_is_refused(tmp_path: Path, name: str, content: object, cause: str) -> None:
    write(tmp_path / name, content)
    with pytest.raises(ExportRefused) as caught:
        read_sentence_model(tmp_path)
    assert cause in str(caught.value)


def test_a_prompt_that_is_left_out_of_the_mean(tmp_path: Path) -> None:
    write(tmp_path / "config_sentence_transformers.json", {"prompts": {"q": PROMPT}, "default_prompt_name": "q"})
    write(tmp_path / "1_Pooling" / "config.json", {"pooling_mode": "cls", "include_prompt": False})
    assert read_sentence_model(tmp_path).prompt == PROMPT  # the first token is the same
    write(tmp_path / "1_Pooling" / "config.json", {"pooling_mode": "mean", "include_prompt": False})
    with pytest.raises(ExportRefused, match="leaves the prompt out of the mean"):
        read_sentence_model(tmp_path)


@pytest.mark.parametrize(
    ("pooling", "activation", "package"),
    [("mean", "torch.nn.modules.linear.Identity", NEW), ("cls", "torch.nn.modules.activation.Tanh", OLD)],
)
def test_a_dense_layer_a_limit_and_a_prompt_are_served(
    tmp_path: Path, tokenizer: object, pooling: str, activation: str, package: str
) -> None:
    """LaBSE's and Conan's layout: 20 numbers come out where the encoder has 32."""
    encoder = make_encoder().eval()
    folder = write_encoder(tmp_path / "trained", encoder, tokenizer.to_str())
    write_modules(folder, "Pooling", "Dense", "Normalize", package=package)
    write(folder / "1_Pooling" / "config.json", {"pooling_mode": pooling})
    linear = write_dense(folder / "2_Dense", (32, 20), activation)
    write(folder / "sentence_bert_config.json", {"max_seq_length": 40})
    write(folder / "config_sentence_transformers.json", {"prompts": {"q": PROMPT}, "default_prompt_name": "q"})
    texts = tmp_path / "texts.txt"
    texts.write_text("\n".join(TEXTS), "utf-8")
    out = run_export(Export(Source(folder, folder.name), tmp_path / "out", texts, "embedding", 0.0))
    manifest = read_manifest(out)
    assert (manifest.dimensions, manifest.pooling, manifest.max_tokens, manifest.prompt) == (20, pooling, 40, PROMPT)
    assert PROMPT in (out / "README.md").read_text("utf-8")
    assert manifest.checks["int8"]["batch_max_difference"] == 0.0
    inputs = {n: torch.from_numpy(v) for n, v in encode(tokenizer, [PROMPT + text for text in TEXTS]).items()}
    with torch.inference_mode():
        tokens, mask = encoder(**inputs).last_hidden_state, inputs["attention_mask"][..., None]
        vectors = linear(tokens[:, 0] if pooling == "cls" else (tokens * mask).sum(1) / mask.sum(1))
        expected = torch.nn.functional.normalize(torch.tanh(vectors) if "Tanh" in activation else vectors).numpy()
    with open_pipeline("embedding", out) as pipeline:
        found = np.stack([result.vector for result in pipeline.predict(TEXTS, RequestContext())])
    assert (found * expected).sum(1).min() > 0.99


@pytest.mark.parametrize(
    ("facts", "cause"),
    [
        ({"in_features": 64}, "2_Dense takes 64 numbers and gets 32"),
        ({"out_features": None}, "gives no in_features and out_features"),
        ({"activation_function": "torch.nn.modules.activation.ReLU"}, "the activation ReLU"),
        ({"activation_function": "torch.nn.modules.activation.Tanh"}, "behind the mean of all tokens"),
        ({"module_input_name": "token_embeddings"}, "the input token_embeddings"),
        ({"out_features": 16}, "2_Dense.bias has the shape [20], config.json asks for [16]"),
    ],
)
def test_a_dense_layer_that_cannot_be_exported(tmp_path: Path, tokenizer: object, facts: dict, cause: str) -> None:
    folder = write_encoder(tmp_path / "trained", make_encoder(), tokenizer.to_str())
    write_modules(folder, "Pooling", "Dense")
    write(folder / "1_Pooling" / "config.json", {"pooling_mode": "mean"})
    write_dense(folder / "2_Dense", (32, 20), "torch.nn.modules.linear.Identity")
    path = folder / "2_Dense" / "config.json"
    write(path, json.loads(path.read_text("utf-8")) | facts)
    with pytest.raises(ExportRefused) as caught:
        load_checkpoint(folder, "embedding")
    assert cause in str(caught.value)


def test_two_dense_layers_in_a_row(tmp_path: Path, tokenizer: object) -> None:
    encoder = make_encoder().eval()
    folder = write_encoder(tmp_path / "trained", encoder, tokenizer.to_str())
    write_modules(folder, "Pooling", "Dense", "Dense")
    write(folder / "1_Pooling" / "config.json", {"pooling_mode": "mean"})
    first = write_dense(folder / "2_Dense", (32, 20), "torch.nn.modules.linear.Identity")
    second = write_dense(folder / "3_Dense", (20, 24), "torch.nn.modules.linear.Identity", seed=4)
    loaded = load_checkpoint(folder, "embedding")
    inputs = {name: torch.from_numpy(value) for name, value in encode(tokenizer, TEXTS).items()}
    with torch.inference_mode():
        expected = second(first(encoder(**inputs).last_hidden_state))
        assert loaded.dimensions == 24
        assert torch.equal(loaded.model(**inputs).last_hidden_state, expected)
