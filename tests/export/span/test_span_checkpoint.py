# ruff: noqa: E402 - what needs torch is imported after the check that it is there
"""siamese-uninlu's layout is read whole or refused; both of our models equal the BERT that it was cut from."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs requirements-export.txt")
pytest.importorskip("transformers", reason="needs requirements-export.txt")

from export.checkpoint import load_checkpoint
from export.encoding import encode
from export.pairs import make_pairs
from export.refusal import ExportRefused
from export.tasks import Head
from export.texts import PARITY_TEXTS

PAIRS = [*make_pairs(PARITY_TEXTS), ("怎么退款", "如何申请退款"), ("相似", "不相似")]


def load(folder: Path, **options: object):
    return load_checkpoint(folder, "similarity", **options)


def refusal(folder: Path, **options: object) -> str:
    with pytest.raises(ExportRefused) as caught:
        load(folder, **options)
    return str(caught.value)


def respell(folder: Path, change) -> Path:
    tensors = torch.load(folder / "pytorch_model.bin", weights_only=True)
    torch.save(change(tensors), folder / "pytorch_model.bin")
    return folder


def change_config(folder: Path, **changes: object) -> Path:
    config = json.loads((folder / "config.json").read_text("utf-8")) | changes
    (folder / "config.json").write_text(json.dumps(config), "utf-8")
    return folder


def batches(asking):
    for start in range(0, len(PAIRS), 5):
        yield {name: torch.from_numpy(a) for name, a in encode(asking, PAIRS[start : start + 5]).items()}


def from_whole_bert(model, pointers, inputs: dict[str, torch.Tensor]) -> torch.Tensor:
    """ModelScope's algorithm written down once more, on the BERT before it was cut."""
    rows = []
    for ids, mask, types in zip(*inputs.values(), strict=True):
        text, prompt = (ids[(mask == 1) & (types == part)][None] for part in (0, 1))
        places = text.shape[1] + torch.arange(prompt.shape[1])[None]
        states = [
            model(text, output_hidden_states=True).hidden_states[2],
            model(
                prompt, token_type_ids=torch.ones_like(prompt), position_ids=places, output_hidden_states=True
            ).hidden_states[2],
        ]
        hidden = torch.cat(states, dim=1)
        for layer in model.encoder.layer[2:]:
            hidden = layer(hidden)[0]
        starts, ends = (pointers[name](hidden)[0, :, 0] for name in ("head_clsf", "tail_clsf"))
        rows.append(torch.stack([starts[4] + ends[6], starts[1] + ends[2]]))
    return torch.stack(rows)


def test_one_input_with_two_blocks_equals_two_encodings(shared_span_checkpoint, span_parts, asking):
    loaded = load(shared_span_checkpoint)
    _, whole, pointers = span_parts
    spread = []
    for inputs in batches(asking):
        with torch.inference_mode():
            joint, published = (model(**inputs).logits for model in (loaded.model, loaded.reference))
            expected = from_whole_bert(whole, pointers, inputs)
        assert (published - expected).abs().max() < 1e-5
        assert (joint - expected).abs().max() < 1e-5
        spread.append(expected)
    assert torch.cat(spread).std(0).min() > 0.1  # there is something to agree about


def test_without_the_blocks_it_is_another_function(shared_span_checkpoint, asking):
    loaded = load(shared_span_checkpoint)
    inputs = next(batches(asking))
    with torch.inference_mode():
        expected = loaded.model(**inputs).logits
        lower = loaded.model.lower.forward
        mask = (1.0 - inputs["attention_mask"][:, None, None, :].float()) * torch.finfo(torch.float32).min
        loaded.model.lower.forward = lambda hidden, attention_mask: lower(hidden, attention_mask=mask)
        assert (loaded.model(**inputs).logits - expected).abs().max() > 1e-2


def test_what_is_told(shared_span_checkpoint):
    loaded = load(shared_span_checkpoint)
    assert (loaded.head, loaded.kind, loaded.labels) == (Head.SPAN, "cross-encoder", ("different", "similar"))
    assert loaded.layout == "modelscope, pytorch_model.bin, prefix plm., head head_clsf. and tail_clsf."


def test_wrappers_and_old_layer_norm_names(span_checkpoint, shared_span_checkpoint, asking):
    old = {"LayerNorm.weight": "LayerNorm.gamma", "LayerNorm.bias": "LayerNorm.beta"}

    def spell(tensors):
        return {"module." + re.sub(r"LayerNorm\.\w+$", lambda m: old[m[0]], k): v for k, v in tensors.items()}

    inputs = next(batches(asking))
    with torch.inference_mode():
        logits = [load(f).model(**inputs).logits for f in (respell(span_checkpoint, spell), shared_span_checkpoint)]
    assert torch.equal(*logits)


@pytest.mark.parametrize(
    "missing", ["plm.pooler.dense.bias", "crossattention.layer.3.output.dense.weight", "tail_clsf.bias"]
)
def test_a_missing_tensor(span_checkpoint, missing):
    respell(span_checkpoint, lambda tensors: {k: v for k, v in tensors.items() if k != missing})
    assert refusal(span_checkpoint) == f"the checkpoint lacks {missing}"


def test_a_tensor_too_many_and_ones_that_do_not_fit(span_checkpoint):
    respell(span_checkpoint, lambda tensors: tensors | {"classifier.weight": torch.ones(2, 32)})
    assert refusal(span_checkpoint) == "the checkpoint has an unexpected key classifier.weight"
    respell(span_checkpoint, lambda tensors: {k: v for k, v in tensors.items() if k != "classifier.weight"})
    respell(span_checkpoint, lambda tensors: tensors | {"head_clsf.weight": torch.ones(2, 32)})
    assert "head_clsf.weight has the shape [2, 32]" in refusal(span_checkpoint)
    respell(span_checkpoint, lambda tensors: tensors | {"head_clsf.weight": torch.full((1, 32), np.nan)})
    assert "head_clsf.weight holds numbers that are not finite" in refusal(span_checkpoint)


def test_layers_divided_otherwise(span_checkpoint):
    respell(span_checkpoint, lambda t: {k: v for k, v in t.items() if not k.startswith("crossattention.layer.5")})
    assert refusal(span_checkpoint) == "the checkpoint has 5 layers in crossattention, 6 are known"


def test_config_and_weights_disagree(span_checkpoint):
    change_config(span_checkpoint, num_hidden_layers=12)
    assert refusal(span_checkpoint) == "config.json says num_hidden_layers 12, the weights have 2 and 6"
    change_config(span_checkpoint, num_hidden_layers=8, vocab_size=99)
    assert refusal(span_checkpoint) == "config.json says vocab_size 99, the weights have 2000"


def test_options_that_make_no_sense(shared_span_checkpoint):
    assert "checkpoints of this kind have different, similar" in refusal(
        shared_span_checkpoint, labels=("similar", "different")
    )
    assert "--pooling is for encoders" in refusal(shared_span_checkpoint, pooling="mean")
    assert load(shared_span_checkpoint, labels=("different", "similar")).labels == ("different", "similar")


@pytest.mark.parametrize("task", ["sentiment", "embedding", "zero-shot", "rerank"])
def test_other_tasks_say_where_it_belongs(shared_span_checkpoint, task):
    with pytest.raises(ExportRefused, match="siamese-uninlu is exported by --task similarity"):
        load_checkpoint(shared_span_checkpoint, task)
