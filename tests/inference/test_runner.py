"""The real default model behind cache, tokenizer and batcher: one text, one answer, to the last bit."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from structbert_lite.cache.memory import MemoryCache
from structbert_lite.cache.tiered import TieredCache
from structbert_lite.errors import ClientDisconnected, DeadlineExceeded, InvalidModel, Overloaded
from structbert_lite.inference.model import Session
from structbert_lite.inference.runner import Encoder, Limits
from structbert_lite.inference.slots import Slots
from structbert_lite.inference.tokenizer import Encoding, Tokenizer
from structbert_lite.manifest import MODEL_NAME, TOKENIZER_NAME, read_manifest
from structbert_lite.request_context import RequestContext
from tests.tiny_models import make_cross, table

PIECES = st.sampled_from(
    [
        "好",
        "不",
        "房间很干净",
        "，",
        "。",
        "但是",
        "太贵了",
        "iPhone 15",
        "😡",
        "服務態度",
        "１２３",
        "x" * 30,
        "的" * 50,
    ]
)
TEXTS = st.lists(PIECES, min_size=1, max_size=20).map("".join)


def soon() -> RequestContext:
    return RequestContext.within(60)


def make(folder: Path, cache_bytes: int = 0, **limits: int) -> Encoder:
    defaults = {"threads": 2, "max_batch": 32, "batch_tokens": 512, "queue_tokens": 1 << 20}
    bounds = Limits(**(defaults | limits))
    return Encoder(folder, read_manifest(folder), bounds, TieredCache(MemoryCache(cache_bytes)), Slots(bounds.threads))


def rows_of(encoder: Encoder, *texts: str) -> list[np.ndarray]:
    return [row.values for row in encoder.encode([(text,) for text in texts], soon())]


@pytest.fixture(scope="module")
def encoder(model_folder: Path) -> Iterator[Encoder]:
    encoder = make(model_folder)
    yield encoder
    encoder.close()


@pytest.fixture(scope="module")
def session(model_folder: Path) -> Session:
    manifest = read_manifest(model_folder)
    return Session(model_folder / MODEL_NAME, manifest.inputs, manifest.pad_id)


@pytest.fixture(scope="module")
def tokenizer(model_folder: Path) -> Tokenizer:
    return Tokenizer(model_folder / TOKENIZER_NAME, 512)


def test_a_text_of_any_length_has_the_same_bits_at_any_padding(session: Session) -> None:
    """Kernels treat what is left over of a vector in ways of their own, so each length has its turn."""
    ids = np.random.default_rng(0).integers(700, 8000, 70).tolist()
    encodings = [Encoding([101, *ids[: length - 2], 102], [0] * length, False) for length in range(2, 71)]
    alone = [session.run([encoding])[0].tobytes() for encoding in encodings]
    together = [row.tobytes() for row in session.run(encodings)]
    by_eight = [row.tobytes() for start in range(0, 69, 8) for row in session.run(encodings[start : start + 8])]
    assert together == alone
    assert by_eight == alone


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts=st.lists(TEXTS, min_size=2, max_size=12), padding=st.integers(0, 70))
def test_alone_in_any_batch_at_any_padding_a_text_has_the_same_bits(
    session: Session, tokenizer: Tokenizer, texts: list[str], padding: int
) -> None:
    encodings = tokenizer.encode(texts)
    alone = np.vstack([session.run([encoding]) for encoding in encodings])
    longest = max(map(len, encodings))
    filler = Encoding([101] + [671] * (longest + padding - 2) + [102], [0] * (longest + padding), False)
    assert np.array_equal(session.run(encodings), alone)
    assert np.array_equal(session.run([*encodings, filler])[:-1], alone)
    assert np.array_equal(session.run(encodings[::-1])[::-1], alone)


def test_side_by_side_a_text_has_the_same_bits(session: Session, tokenizer: Tokenizer) -> None:
    encodings = tokenizer.encode([f"房间很干净，但是太贵了{'，服务态度好' * n}" for n in range(40)])
    alone = [session.run([encoding]) for encoding in encodings]
    wrong: list[int] = []

    def run(offset: int) -> None:
        for n in range(len(encodings)):
            i = (n + offset) % len(encodings)
            if not np.array_equal(session.run([encodings[i]]), alone[i]):
                wrong.append(i)

    threads = [threading.Thread(target=run, args=(7 * k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_a_crowd_gets_the_bits_of_the_lonely(encoder: Encoder) -> None:
    texts = [f"第{n}次来了，{'还是很满意' * (n % 9)}" for n in range(120)]
    alone = [rows_of(encoder, text)[0] for text in texts]
    together = rows_of(encoder, *texts)
    assert all(np.array_equal(a, b) for a, b in zip(alone, together, strict=True))


def test_identical_texts_in_flight_are_computed_once(model_folder: Path) -> None:
    encoder = make(model_folder, threads=1)
    before = encoder.batcher.counts.rows
    rows = rows_of(encoder, *["同一句话，问了很多遍" * 10] * 50)
    threads = [threading.Thread(target=rows_of, args=(encoder, "另一句话" * 100)) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(rows) == 50
    # Without a cache a thread that comes after the answer computes again; most come during it.
    assert encoder.batcher.counts.rows - before < 1 + 16
    encoder.close()


def test_the_second_time_comes_from_the_cache(model_folder: Path) -> None:
    encoder = make(model_folder, cache_bytes=1 << 20)
    first = rows_of(encoder, "很好", "很差")
    rows = encoder.batcher.counts.rows
    again = rows_of(encoder, "很差", "很好")
    assert encoder.batcher.counts.rows == rows
    assert (encoder.hits, encoder.misses) == (2, 2)
    assert np.array_equal(again[1], first[0])
    encoder.close()


def test_a_passed_deadline_is_told_and_leaves_nothing_behind(encoder: Encoder) -> None:
    with pytest.raises(DeadlineExceeded):
        encoder.encode([("来不及了",)], RequestContext.within(-1))
    assert rows_of(encoder, "来不及了")  # the next one is not hurt by the dropped one


def test_the_rest_is_dropped_however_quickly_each_text_comes(model_folder: Path) -> None:
    encoder = make(model_folder, threads=1, max_batch=1)
    run, ran = encoder._session.run, []

    def slowly(encodings: list[Encoding]) -> np.ndarray:
        ran.append(len(encodings))
        time.sleep(0.01)  # far less than between two looks at the client
        return run(encodings)

    encoder._session.run = slowly
    with pytest.raises(ClientDisconnected):
        encoder.encode([(f"第{i}条",) for i in range(100)], RequestContext(soon().deadline, lambda: len(ran) > 5))
    encoder.close()
    assert len(ran) < 60


def test_a_refused_text_can_be_asked_again(model_folder: Path) -> None:
    encoder = make(model_folder, threads=1, queue_tokens=1)
    texts = [f"很长的一句话{n}" * 60 for n in range(12)]
    refused, answered = [], []

    def ask(text: str) -> None:
        try:
            answered.append(rows_of(encoder, text))
        except Overloaded:
            refused.append(text)

    threads = [threading.Thread(target=ask, args=(text,)) for text in texts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refused) + len(answered) == len(texts)
    for text in refused:
        assert rows_of(encoder, text)
    encoder.close()


def test_two_fields_are_one_input_and_not_their_concatenation(tiny_models: Path) -> None:
    encoder = make(tiny_models / "zero-shot", cache_bytes=1 << 20)
    inputs = [("天气很好", "咨询"), ("天气", "很好咨询"), ("咨询", "天气很好"), ("天气很好", "咨询")]
    rows = [row.values.tobytes() for row in encoder.encode(inputs, soon())]
    assert rows[0] == rows[3]
    assert len(set(rows)) == 3
    assert encoder.misses == 3
    encoder.close()


def test_an_encoders_rows_are_pooled_vectors(tiny_models: Path) -> None:
    encoder = make(tiny_models / "similarity")
    (alone,), (beside, _) = rows_of(encoder, "很好"), rows_of(encoder, "很好", "很长的一句话" * 9)
    assert alone.shape == (8,)
    assert np.array_equal(alone, beside)
    encoder.close()


@pytest.mark.parametrize("facts", [{"labels": ["one", "two"]}, {"kind": "encoder", "pooling": "cls", "dimensions": 9}])
def test_a_graph_of_another_width_than_the_manifest_says_is_refused(tmp_path: Path, facts: dict) -> None:
    make_cross(tmp_path / "wrong", "rerank", table(1))
    manifest = read_manifest(tmp_path / "wrong").model_copy(update=facts)
    with pytest.raises(InvalidModel, match=r"model\.onnx gives \[1, 1\] for one input"):
        Encoder(tmp_path / "wrong", manifest, Limits(1, 1, 1, 512), TieredCache(MemoryCache(0)), Slots(1))
