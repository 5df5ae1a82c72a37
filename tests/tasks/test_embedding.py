import shutil
from pathlib import Path

import numpy as np
import pytest

from structbert_lite.engine import Engine
from structbert_lite.errors import InvalidInput, TooManyItems
from structbert_lite.registry import open_pipeline
from structbert_lite.request_context import RequestContext
from tests.tiny_models import write_manifest


def soon() -> RequestContext:
    return RequestContext.within(60)


def test_vectors_have_unit_length_in_order(tiny_engine: Engine) -> None:
    texts = ["今天天气很好", "外面阳光明媚", "今天天气很好", "长" * 500]
    results = tiny_engine.predict("embedding", texts, soon())
    assert all(r.vector.dtype == np.float32 and r.vector.shape == (8,) for r in results)
    assert np.linalg.norm([r.vector for r in results], axis=1) == pytest.approx(1)
    assert np.array_equal(results[0].vector, results[2].vector)
    assert not np.array_equal(results[0].vector, results[1].vector)
    assert [r.truncated for r in results] == [False, False, False, True]


def test_what_cannot_be_used_is_named(tiny_engine: Engine) -> None:
    with pytest.raises(InvalidInput) as caught:
        tiny_engine.predict("embedding", ["a", "\n"], soon())
    assert caught.value.field == "texts[1]"
    with pytest.raises(TooManyItems):
        tiny_engine.predict("embedding", ["a"] * 65, soon())


def test_a_models_prompt_stands_before_every_text(tiny_models: Path, tmp_path: Path) -> None:
    folder = tmp_path / "embedding"
    shutil.copytree(tiny_models / "similarity", folder)
    facts = {"kind": "encoder", "pooling": "mean", "dimensions": 8}
    write_manifest(folder, "embedding", **facts)
    with open_pipeline("embedding", folder) as pipeline:
        (expected,), tokens = pipeline.predict(["查询：退款"], RequestContext()), pipeline.count_tokens(["查询：退款"])
    write_manifest(folder, "embedding", **facts, prompt="查询：")
    with open_pipeline("embedding", folder) as pipeline:
        (found,) = pipeline.predict(["退款"], RequestContext())
        assert np.array_equal(found.vector, expected.vector)
        assert pipeline.count_tokens(["退款"]) == tokens
        with pytest.raises(InvalidInput):
            pipeline.predict([" "], RequestContext())
