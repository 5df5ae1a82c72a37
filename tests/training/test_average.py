from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="needs requirements-train.txt")

from safetensors.torch import load_file, save_file  # noqa: E402

from training.average import average  # noqa: E402


def make_run(folder: Path, value: float, tokenizer: str = "{}") -> Path:
    folder.mkdir()
    save_file({"w": torch.full((2,), value)}, folder / "model.safetensors")
    (folder / "config.json").write_text("{}")
    (folder / "tokenizer.json").write_text(tokenizer)
    return folder


def test_the_mean_is_weighted(tmp_path: Path) -> None:
    runs = [make_run(tmp_path / "a", 1.0), make_run(tmp_path / "b", 4.0)]
    out = average(runs, [2, 1], tmp_path / "mean")
    assert load_file(out / "model.safetensors")["w"].tolist() == [2.0, 2.0]
    assert (out / "tokenizer.json").is_file()


def test_the_base_encoder_counts_for_what_it_has(tmp_path: Path) -> None:
    run, base = make_run(tmp_path / "a", 4.0), tmp_path / "base"
    save_file({"bert.w": torch.full((2,), 4.0), "fc.w": torch.full((1,), 5.0)}, run / "model.safetensors")
    base.mkdir()
    torch.save({"w": torch.full((2,), 1.0), "pooler": torch.ones(1)}, base / "pytorch_model.bin")
    (base / "tokenizer.json").write_text("{}")
    out = average([run, base], [0.75, 0.25], tmp_path / "mean")
    assert {k: v.tolist() for k, v in load_file(out / "model.safetensors").items()} == {
        "bert.w": [3.25, 3.25],
        "fc.w": [5.0],
    }


def test_a_run_of_another_task_is_refused(tmp_path: Path) -> None:
    runs = [make_run(tmp_path / "a", 1.0), make_run(tmp_path / "b", 4.0)]
    save_file({"w": torch.zeros(2), "fc.w": torch.zeros(1)}, runs[1] / "model.safetensors")
    with pytest.raises(ValueError, match="other tensors"):
        average(runs, [1, 1], tmp_path / "mean")


def test_runs_with_different_tokenizers_are_refused(tmp_path: Path) -> None:
    runs = [make_run(tmp_path / "a", 1.0), make_run(tmp_path / "b", 4.0, "{ }")]
    with pytest.raises(ValueError, match="different tokenizers"):
        average(runs, [1, 1], tmp_path / "mean")
    assert not (tmp_path / "mean").exists()
