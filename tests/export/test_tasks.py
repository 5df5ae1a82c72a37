# ruff: noqa: E402 - what needs torch is imported after the check that it is there
"""Which checkpoint is taken for which task, and what a wrong one is told."""

import json
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="needs requirements-export.txt")
pytest.importorskip("transformers", reason="needs requirements-export.txt")

from export.checkpoint import load_checkpoint
from export.refusal import ExportRefused
from tests.export.make_checkpoint import make_model, write_hugging_face, write_modelscope
from tests.export.make_pairs_checkpoint import (
    OURS,
    make_encoder,
    make_head,
    make_unigram,
    make_xlm_roberta,
    write_encoder,
    write_xlm_roberta,
)

IDS = torch.tensor([[101, 113, 150, 151, 102]])


def refusal(folder: Path, task: str, **given: object) -> str:
    with pytest.raises(ExportRefused) as caught:
        load_checkpoint(folder, task, **given)
    return str(caught.value)


@pytest.fixture(scope="module")
def siamese(tmp_path_factory):
    return write_encoder(tmp_path_factory.mktemp("siamese") / "trained", make_encoder(), "{}", make_head(2), OURS)


@pytest.fixture
def bare(tmp_path):
    return write_encoder(tmp_path / "bare", make_encoder(), "{}")


def change_config(folder: Path, **changes: object) -> Path:
    config = json.loads((folder / "config.json").read_text("utf-8")) | changes
    (folder / "config.json").write_text(json.dumps({k: v for k, v in config.items() if v is not None}), "utf-8")
    return folder


@pytest.mark.parametrize("prefix", ["bert.", "encoder.", ""])
def test_siamese_layouts_give_the_encoder_of_the_checkpoint(tmp_path, prefix):
    encoder = make_encoder(seed=3)
    folder = write_encoder(tmp_path / "trained", encoder, "{}", make_head(2), OURS, prefix)
    loaded = load_checkpoint(folder, "similarity")
    assert (loaded.kind, loaded.pooling, loaded.reads_pairs, loaded.labels) == ("encoder", "mean", False, ())
    assert loaded.siamese.features == ("abs_diff", "product")
    assert loaded.layout == f"hugging face, model.safetensors, prefix {prefix or 'none'}, head fc."
    with torch.inference_mode():
        assert torch.equal(loaded.model(IDS).last_hidden_state, encoder.eval()(IDS).last_hidden_state)


def test_a_pooler_is_dropped_where_nothing_reads_it(tmp_path):
    whole = make_model()
    folder = write_encoder(tmp_path / "trained", whole.bert, "{}", make_head(2), OURS)
    loaded = load_checkpoint(folder, "similarity")
    assert not any("pooler" in key for key in loaded.model.state_dict())


@pytest.mark.parametrize(("labels", "task"), [(1, "rerank"), (2, "similarity"), (3, "zero-shot")])
def test_cross_encoders(tmp_path, labels, task):
    reference = make_model(labels=labels)
    folder = write_hugging_face(tmp_path / "trained", reference, "{}")
    change_config(folder, id2label=None, label2id=None)
    order = ("neutral", "entailment", "contradiction") if task == "zero-shot" else None
    loaded = load_checkpoint(folder, task, order)
    assert (loaded.kind, loaded.reads_pairs, loaded.siamese, loaded.pooling) == ("cross-encoder", True, None, None)
    assert loaded.labels == (order or {"rerank": (), "similarity": ("different", "similar")}[task])
    with torch.inference_mode():
        assert torch.equal(loaded.model(IDS).logits, reference(IDS).logits)


def test_xlm_roberta(tmp_path):
    reference = make_xlm_roberta()
    folder = write_xlm_roberta(tmp_path / "bge", reference, make_unigram(), "100KB")
    loaded = load_checkpoint(folder, "rerank")
    assert loaded.architecture.inputs == ("input_ids", "attention_mask")
    assert "shards" in loaded.layout
    with torch.inference_mode():
        assert torch.equal(loaded.model(IDS).logits, reference(IDS).logits)
    assert "model_type xlm-roberta, which is not a BERT model; this task" in refusal(folder, "zero-shot")
    change_config(folder, layer_norm_eps=None)
    assert "no usable layer_norm_eps: it is missing" in refusal(folder, "rerank")
    change_config(folder, model_type="bert", layer_norm_eps=1e-5)
    assert "an XLM-RoBERTa or RoBERTa model" in refusal(folder, "rerank")


def test_bert_weights_under_an_xlm_roberta_config(siamese, tmp_path):
    folder = write_xlm_roberta(tmp_path / "bge", make_xlm_roberta(), make_unigram())
    (folder / "model.safetensors").write_bytes((siamese / "model.safetensors").read_bytes())
    assert "is not an XLM-RoBERTa model: its first key is" in refusal(folder, "rerank")


def test_a_siamese_model_for_other_tasks(siamese):
    for task in ("sentiment", "zero-shot", "rerank", "embedding"):
        assert "a Siamese similarity model (it has fc.weight), exported by --task similarity" in refusal(siamese, task)


def test_an_encoder_for_other_tasks(bare):
    for task in ("sentiment", "zero-shot", "rerank", "similarity"):
        assert "encoder without a classifier" in refusal(bare, task)


def test_a_classifier_is_no_encoder(shared_checkpoint):
    assert "has a classifier" in refusal(shared_checkpoint, "embedding", pooling="cls")


@pytest.mark.parametrize(
    ("labels", "task", "needs"), [(3, "similarity", 2), (2, "zero-shot", 3), (2, "rerank", 1), (1, "sentiment", 2)]
)
def test_another_number_of_logits(tmp_path, labels, task, needs):
    folder = write_hugging_face(tmp_path / "trained", make_model(labels=labels), "{}")
    change_config(folder, id2label=None, label2id=None)
    given = ("entailment", "neutral", "contradiction") if task == "zero-shot" else None
    assert f"classifier has {labels} labels, {task} needs {needs}" in refusal(folder, task, labels=given)


@pytest.mark.parametrize(
    ("stated", "task", "cause"),
    [
        (
            "sentence-similarity",
            "sentiment",
            "is for sentence-similarity, not for sentiment; it is exported by",
        ),
        ("nli", "similarity", "is for nli, not for similarity; it is exported by --task zero-shot"),
        ("zero-shot-classification", "rerank", "exported by --task zero-shot"),
        ("sentiment-classification", "similarity", "exported by --task sentiment"),
        ("text-ranking", "embedding", "exported by --task rerank"),
        ("faq-question-answering", "embedding", "is for faq-question-answering, not for embedding"),
    ],
)
def test_what_configuration_json_says(checkpoint, stated, task, cause):
    (checkpoint / "configuration.json").write_text(json.dumps({"task": stated}))
    assert cause in refusal(checkpoint, task)


@pytest.mark.parametrize(
    ("task", "said"),
    [
        ("sentiment", "siamese-uninlu span extractor (its keys start with plm.)"),
        ("sentiment", "siamese-uninlu is exported by --task similarity"),
        ("similarity", "the checkpoint has 0 layers in crossattention, 6 are known"),
    ],
)
def test_a_span_extractor(tmp_path, vocabulary, model, task, said):
    folder = write_modelscope(tmp_path / "uninlu", model, vocabulary)
    torch.save({"plm.embeddings.word_embeddings.weight": torch.ones(2)}, folder / "pytorch_model.bin")
    assert said in refusal(folder, task)


def test_pooling_is_stated_by_somebody(bare, siamese, shared_checkpoint):
    assert "pass --pooling mean or cls" in refusal(bare, "embedding")
    assert load_checkpoint(bare, "embedding", pooling="cls").pooling == "cls"
    assert "--pooling says cls, the checkpoint says mean" in refusal(siamese, "similarity", pooling="cls")
    assert "--pooling is for encoders" in refusal(shared_checkpoint, "sentiment", pooling="cls")
    assert "--labels is for classifiers" in refusal(siamese, "similarity", labels=("different", "similar"))


@pytest.mark.parametrize(
    ("modes", "found"),
    [
        (["mean_tokens"], "mean"),
        (["cls_token"], "cls"),
        (["max_tokens"], None),
        (["mean_tokens", "cls_token"], None),
    ],
)
def test_sentence_transformers_state_their_pooling(bare, modes, found):
    (bare / "1_Pooling").mkdir()
    settings = {"word_embedding_dimension": 32, "pooling_mode_cls_token": False}
    settings |= {f"pooling_mode_{mode}": True for mode in modes}
    (bare / "1_Pooling" / "config.json").write_text(json.dumps(settings))
    if found:
        assert load_checkpoint(bare, "embedding").pooling == found
    else:
        assert "only mean or cls can be exported" in refusal(bare, "embedding")


def test_an_unknown_pooling(tmp_path):
    folder = write_encoder(tmp_path / "trained", make_encoder(), "{}", make_head(2), OURS | {"pooling": "max"})
    assert "siamese.pooling 'max', only mean or cls" in refusal(folder, "similarity")
