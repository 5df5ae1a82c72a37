import itertools
import json
import shutil
from pathlib import Path

import pytest
from pydantic import ValidationError

from structbert_lite.errors import InvalidModel
from structbert_lite.manifest import PairTemplate, check_files, find_models, read_manifest, split_labels
from structbert_lite.settings import PROJECT
from tests.tiny_models import make_cross, make_three_way, table


@pytest.fixture
def copy(model_folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(model_folder, tmp_path / "copy"))


def change(folder: Path, **facts: object) -> None:
    path = folder / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | facts))


def test_the_default_model_is_what_its_manifest_says(model_folder: Path) -> None:
    manifest = read_manifest(model_folder)
    check_files(model_folder, manifest)
    assert manifest.labels == ("Negative", "Neutral", "Positive")
    assert manifest.license == "apache-2.0"


def test_every_default_model_may_be_used_but_the_one_whose_name_says_otherwise() -> None:
    for name, manifest in find_models(PROJECT / "models").items():
        assert manifest.license.startswith("research use only" if name == "sentiment-research" else "apache-2.0"), name


def test_no_committed_model_file_is_over_40_mb(model_folder: Path) -> None:
    assert all(fact.bytes <= 40_000_000 for fact in read_manifest(model_folder).files.values())


def test_one_changed_byte_is_refused_with_the_files_name(copy: Path) -> None:
    data = bytearray((copy / "model.onnx").read_bytes())
    data[len(data) // 2] ^= 1
    (copy / "model.onnx").write_bytes(data)
    with pytest.raises(InvalidModel, match=r"model\.onnx does not have the SHA-256"):
        check_files(copy, read_manifest(copy))


def test_a_truncated_file_is_refused(copy: Path) -> None:
    (copy / "tokenizer.json").write_bytes((copy / "tokenizer.json").read_bytes()[:-1])
    with pytest.raises(InvalidModel, match=r"tokenizer\.json has \d+ bytes"):
        check_files(copy, read_manifest(copy))


def test_a_missing_file_is_refused(copy: Path) -> None:
    (copy / "model.onnx").unlink()
    with pytest.raises(InvalidModel, match=r"model\.onnx cannot be read"):
        check_files(copy, read_manifest(copy))


def test_a_folder_without_manifest_is_no_model(tmp_path: Path) -> None:
    assert find_models(tmp_path) == {}
    with pytest.raises(InvalidModel, match="it has no manifest"):
        read_manifest(tmp_path)


@pytest.mark.parametrize("facts", [{"task": "poetry"}, {"labels": ["one"]}, {"max_tokens": 0}, {"surprise": 1}])
def test_a_malformed_manifest_is_refused_with_the_field(copy: Path, facts: dict) -> None:
    change(copy, **facts)
    with pytest.raises(InvalidModel, match=next(iter(facts))):
        read_manifest(copy)


def test_the_digest_depends_on_every_file(model_folder: Path) -> None:
    manifest = read_manifest(model_folder)
    files = {name: fact.model_copy(update={"sha256": "0" * 64}) for name, fact in manifest.files.items()}
    digests = {manifest.model_copy(update={"files": manifest.files | {n: files[n]}}).digest for n in files}
    assert len(digests | {manifest.digest}) == len(files) + 1


def test_a_matcher_that_the_manifest_does_not_list_is_refused(tiny_models: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(tiny_models / "similarity", tmp_path / "copy"))
    files = json.loads((folder / "manifest.json").read_text())["files"]
    del files["matcher.npz"]
    change(folder, files=files)
    with pytest.raises(InvalidModel, match=r"does not list matcher\.npz"):
        check_files(folder, read_manifest(folder))


@pytest.mark.parametrize("text", ["{a}", "{b}{a}", "{a}{b}{a}", "A&B"])
def test_a_template_without_a_place_for_each_text_is_refused(text: str) -> None:
    with pytest.raises(ValidationError, match="once each"):
        PairTemplate(text=text, prompt="?")


def test_a_template_is_for_a_cross_encoder_of_pairs(copy: Path) -> None:
    change(copy, pair_template={"text": "{a}{b}", "prompt": "?"})
    with pytest.raises(InvalidModel, match="pair_template"):
        read_manifest(copy)


def test_three_labels_of_any_order_tell_a_neutral_class(tmp_path: Path) -> None:
    for number, labels in enumerate(itertools.permutations(["Negative", "Neutral", "Positive"])):
        make_three_way(tmp_path / str(number), labels)
        manifest = read_manifest(tmp_path / str(number))
        assert manifest.has_neutral
        assert manifest.labels == labels
        assert manifest.answered_labels(neutral=False) == ("Negative", "Positive")
        assert manifest.answered_labels(neutral=True) == ("Negative", "Neutral", "Positive")


@pytest.mark.parametrize("labels", [("Negative", "Positive"), ("Positive", "Neutral", "Mixed"), ("中性", "正面")])
def test_other_labels_do_not(tmp_path: Path, labels: tuple[str, ...]) -> None:
    make_cross(tmp_path / "own", "sentiment", table(len(labels)), kind="classifier", labels=labels)
    manifest = read_manifest(tmp_path / "own")
    assert not manifest.has_neutral
    assert manifest.answered_labels(neutral=False) == manifest.answered_labels(neutral=True) == labels


def test_uncertainty_is_for_a_model_that_knows_neutral(copy: Path, tmp_path: Path) -> None:
    make_three_way(tmp_path / "three", uncertainty={"neutral": 0.4, "margin": 0.2})
    assert read_manifest(tmp_path / "three").uncertainty.margin == 0.2
    change(copy, labels=["Negative", "Positive"], uncertainty={"neutral": 0.4, "margin": 0.2})
    with pytest.raises(InvalidModel, match="uncertainty is for a sentiment model with the labels Negative, Neutral"):
        read_manifest(copy)


@pytest.mark.parametrize("given", [{"neutral": 1.1}, {"margin": -0.1}, {"gap": 0.5}, 0.5])
def test_an_uncertainty_that_cannot_be_used_is_refused(tmp_path: Path, given: object) -> None:
    make_three_way(tmp_path / "three", uncertainty=given)
    with pytest.raises(InvalidModel, match="uncertainty"):
        read_manifest(tmp_path / "three")


def test_none_is_for_a_zero_shot_model(tiny_models: Path, copy: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(tiny_models / "zero-shot", tmp_path / "zero-shot"))
    change(folder, none={"scale": 0.5, "bias": -1.0})
    assert read_manifest(folder).none.scale == 0.5
    change(copy, none={"scale": 0.5})
    with pytest.raises(InvalidModel, match="none is for a zero-shot model"):
        read_manifest(copy)


def test_a_prompt_is_for_embeddings_and_several_labels_for_a_classifier_of_its_own(
    tiny_models: Path, copy: Path
) -> None:
    change(copy, prompt="查询：")
    with pytest.raises(InvalidModel, match="a prompt is for a model that serves embedding alone"):
        read_manifest(copy)
    change(copy, prompt="", multi_label=True)
    with pytest.raises(InvalidModel, match="with other labels than Negative, Neutral, Positive"):
        read_manifest(copy)
    change(copy, labels=["物流", "质量", "价格"], uncertainty=None)
    assert read_manifest(copy).multi_label


@pytest.mark.parametrize(
    ("given", "labels"),
    [
        ("咨询,投诉,建议", ("咨询", "投诉", "建议")),
        ("咨询、投诉， 建议,", ("咨询", "投诉", "建议")),
        (
            '["negative (stars 1, 2 and 3)", "positive (stars 4 and 5)"]',
            ("negative (stars 1, 2 and 3)", "positive (stars 4 and 5)"),
        ),
        (' [ "a、b" ]', ("a、b",)),
        ("[积极],[消极]", ("[积极]", "[消极]")),
        ("", ()),
        ("[]", ()),
    ],
)
def test_labels_of_a_command_line(given: str, labels: tuple[str, ...]) -> None:
    assert split_labels(given) == labels


@pytest.mark.parametrize("given", ['["a", "b"', '["a", 1]', '["a"] b', '["a"], "b"'])
def test_a_begun_array_of_labels_is_never_cut_at_commas(given: str) -> None:
    with pytest.raises(ValueError, match="this is no JSON array of"):
        split_labels(given)
