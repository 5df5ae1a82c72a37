# ruff: noqa: E402 - what needs torch is imported after the check that it is there
"""Exits from end to end: a checkpoint of four layers is exported with them, or gets them afterwards, and is served."""

import shutil
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

torch = pytest.importorskip("torch", reason="needs requirements-export.txt")
pytest.importorskip("optimum.exporters.onnx", reason="needs requirements-export.txt")

from export.__main__ import main as export
from export.early_exit.__main__ import main as add_exits
from export.early_exit.rules import answers, three_way_of
from export.texts import PARITY_TEXTS
from structbert_lite.inference.model import Model
from structbert_lite.inference.prepacked import PrepackedGraphs
from structbert_lite.manifest import check_files, read_manifest
from structbert_lite.registry import open_pipeline
from structbert_lite.request_context import RequestContext
from tests.export.make_checkpoint import make_model, write_modelscope

LABELS = "Negative,Neutral,Positive"
AGREEMENT = 0.97  # random weights put most texts near a boundary


@pytest.fixture(scope="module")
def texts(tmp_path_factory: pytest.TempPathFactory, vocabulary: list[str]) -> Path:
    """1,200 labelled texts of random characters."""
    rng = np.random.default_rng(5)
    characters = [c for c in vocabulary if len(c) == 1 and ord(c) > 0x4E00]
    path = tmp_path_factory.mktemp("texts") / "texts.tsv"
    rows = [
        f"{rng.choice(['negative', 'positive', ''])}\t{''.join(rng.choice(characters, rng.integers(2, 40)))}"
        for _ in range(1200)
    ]
    path.write_text("label\ttext\n" + "\n".join(rows) + "\n", encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory, vocabulary: list[str]) -> Path:
    model = make_model(4, labels=3)
    with torch.no_grad():
        model.classifier.weight *= 20  # so that most texts are far from a boundary
        for layer in model.bert.encoder.layer[1:]:  # and the later layers change little
            layer.attention.output.dense.weight *= 0.6
            layer.output.dense.weight *= 0.6
        ids = torch.randint(112, 2000, (64, 20))
        ids[:, 0], ids[:, -1] = 101, 102
        model.classifier.bias -= model(input_ids=ids).logits.mean(dim=0)  # and every label is some text's
    folder = write_modelscope(tmp_path_factory.mktemp("checkpoint") / "four", model, vocabulary)
    (folder / "label_mapping.json").unlink()
    return folder


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory, checkpoint: Path, texts: Path) -> tuple[Path, str]:
    out = tmp_path_factory.mktemp("models") / "four"
    options = ["--task", "sentiment", "--labels", LABELS, "--min-agreement", "0.5", "--checkpoint", str(checkpoint)]
    given = ["--early-exit", str(texts), "--agreement", str(AGREEMENT), "--out", str(out)]
    result = CliRunner().invoke(export, [*options, *given])
    assert result.exit_code == 0, result.output
    return out, result.stdout


@pytest.fixture(scope="module")
def without(tmp_path_factory: pytest.TempPathFactory, checkpoint: Path) -> Path:
    out = tmp_path_factory.mktemp("models") / "plain"
    options = ["--task", "sentiment", "--labels", LABELS, "--min-agreement", "0.5", "--checkpoint", str(checkpoint)]
    assert CliRunner().invoke(export, [*options, "--out", str(out)]).exit_code == 0
    return out


@pytest.fixture
def plain(without: Path, tmp_path: Path) -> Path:
    """A model without exits, to be given some."""
    return shutil.copytree(without, tmp_path / "models" / "plain")


def test_manifest_card_and_output_say_what_was_found(exported: tuple[Path, str]) -> None:
    folder, output = exported
    manifest = read_manifest(folder)
    check_files(folder, manifest)
    facts = manifest.early_exit
    assert facts is not None
    assert facts.layers == 4
    assert facts.texts == 300
    assert facts.agreement >= facts.asked == AGREEMENT
    assert 0 < sum(found.share for found in facts.exits) <= 1
    assert facts.accuracy is not None
    assert facts.accuracy_without is not None
    card = (folder / "README.md").read_text(encoding="utf-8")
    assert "## Early exit" in card
    assert f"{facts.agreement * 100:.2f} %" in card
    assert f"| layer {facts.exits[0].layer} | {facts.exits[0].share * 100:.1f} % |" in card
    assert "[6/7] early exit ... after" in output


def test_alone_and_in_a_crowd_a_text_leaves_at_the_same_place_with_the_same_bits(
    exported: tuple[Path, str], texts: Path
) -> None:
    model = Model.load(exported[0])
    lines = texts.read_text(encoding="utf-8").split("\n")[1:120]
    some = [text[:length] for text in PARITY_TEXTS for length in (1, 2, 5, 11, 24)]
    encodings = model.tokenizer.encode(some + [line.split("\t")[1] for line in lines])
    left: list[np.ndarray] = []
    alone = [model.infer([encoding], left.append)[0].tobytes() for encoding in encodings]
    places = np.concatenate(left)
    assert len(set(places.tolist())) > 1, "all texts leave at one place: nothing is tried"
    left.clear()
    assert [row.tobytes() for row in model.infer(encodings, left.append)] == alone
    assert left[0].tolist() == places.tolist()
    mixed = np.random.default_rng(0).permutation(len(encodings))
    rows = model.infer([encodings[i] for i in mixed])
    assert [row.tobytes() for row in rows] == [alone[i] for i in mixed]


def test_switched_off_it_is_the_model_without_exits_to_the_bit(exported: tuple[Path, str], plain: Path) -> None:
    off, on, without = (
        Model.load(exported[0], early_exit=False),
        Model.load(exported[0]),
        Model.load(plain),
    )
    encodings = off.tokenizer.encode(list(PARITY_TEXTS))
    assert off.infer(encodings).tobytes() == without.infer(encodings).tobytes()
    assert on.infer(encodings).tobytes() != without.infer(encodings).tobytes()
    assert off.fingerprint() != on.fingerprint()
    assert off.fingerprint() == on.fingerprint(all_layers=True)


def test_who_leaves_keeps_its_answers(exported: tuple[Path, str], texts: Path) -> None:
    lines = texts.read_text(encoding="utf-8").split("\n")[1:-1]
    on, off = (Model.load(exported[0], early_exit=switch) for switch in (True, False))
    encodings = on.tokenizer.encode([line.split("\t")[1] for line in lines])
    left: list[np.ndarray] = []
    logits = [model.infer(encodings, left.append).astype(float) for model in (on, off)]
    stayed = left[0] == 4
    assert (logits[0] == logits[1])[stayed].all()
    assert not (logits[0] == logits[1])[~stayed].all(axis=1).any()
    rule = three_way_of(on.manifest)
    assert (answers(logits[0], rule) == answers(logits[1], rule)).all(axis=1).mean() >= AGREEMENT


def test_prepacked_weights_change_no_bit(exported: tuple[Path, str], tmp_path: Path) -> None:
    usual = Model.load(exported[0])
    encodings = usual.tokenizer.encode(list(PARITY_TEXTS))
    for on in (True, False):
        made, kept = (Model.load(exported[0], prepacked=PrepackedGraphs(tmp_path), early_exit=on) for _ in range(2))
        wanted = Model.load(exported[0], early_exit=on).infer(encodings).tobytes()
        assert made.infer(encodings).tobytes() == kept.infer(encodings).tobytes() == wanted
    assert len(list(tmp_path.glob("prepacked/*/model.onnx"))) == 1


def test_an_exported_model_gets_exits_afterwards_and_only_once(plain: Path, texts: Path) -> None:
    asked = ["--model", str(plain), "--texts", str(texts), "--agreement", str(AGREEMENT)]
    before = read_manifest(plain)
    result = CliRunner().invoke(add_exits, asked)
    assert result.exit_code == 0, result.output
    after = read_manifest(plain)
    assert after.early_exit is not None
    assert after.digest != before.digest
    assert after.early_exit.agreement >= AGREEMENT  # which layers pay is measured, and need not be the same twice
    assert {found.layer for found in after.early_exit.exits} <= {1, 2, 3}
    with open_pipeline("sentiment", plain, load_model=partial(Model.load, early_exit=True)) as pipeline:
        assert len(pipeline.predict(["好"], RequestContext())) == 1
    assert sorted(path.name for path in plain.parent.iterdir()) == ["plain"]
    again = CliRunner().invoke(add_exits, asked)
    assert again.exit_code == 1
    assert "has exits already" in again.stderr


def refused(model: Path, texts: Path, agreement: float = AGREEMENT) -> str:
    before = {path.name: path.read_bytes() for path in model.iterdir()}
    options = ["--model", str(model), "--texts", str(texts), "--agreement", str(agreement)]
    result = CliRunner().invoke(add_exits, options)
    assert result.exit_code == 1
    assert "Traceback" not in result.output
    assert {path.name: path.read_bytes() for path in model.iterdir()} == before
    assert [path.name for path in model.parent.iterdir()] == [model.name]
    return result.stderr


def test_what_cannot_be_done_is_refused_and_leaves_the_model_as_it_is(plain: Path, texts: Path, tmp_path: Path) -> None:
    lines = texts.read_text(encoding="utf-8").split("\n")
    few = tmp_path / "few.txt"
    few.write_text("\n".join(f"第{i}行" for i in range(999)), encoding="utf-8")
    assert "has 999 different texts, early exit needs 1,000 or more" in refused(plain, few)
    assert "cannot be read" in refused(plain, tmp_path / "missing.txt")
    strange = tmp_path / "strange.tsv"
    strange.write_text("\n".join([lines[0], "angry\t生气", *lines[1:]]), encoding="utf-8")
    assert "has the label angry, the model has Negative, Neutral, Positive" in refused(plain, strange)
    headless = tmp_path / "headless.csv"
    headless.write_text("label,review\nnegative,不好\n", encoding="utf-8")
    assert "has no column named text" in refused(plain, headless)


def test_texts_that_leave_without_agreement_are_refused(
    plain: Path, texts: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("export.early_exit.step.choose_exits", _rash)
    assert "of 300 texts, the bound is 99.90%" in refused(plain, texts, 0.999)


def _rash(logits, units, wanted, seconds, agreement, rule):
    from export.early_exit.fit import Choice

    return Choice({1: 0.0}, 0.3)


def test_an_encoder_has_no_exits(tiny_models: Path, texts: Path, tmp_path: Path) -> None:
    encoder = shutil.copytree(tiny_models / "similarity", tmp_path / "a" / "similarity")
    assert "early exit is for classifiers" in refused(encoder, texts)
