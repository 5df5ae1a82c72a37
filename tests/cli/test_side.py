import sys
from pathlib import Path

import numpy as np
import pytest

from structbert_lite.cli.side import light_command, start_side
from structbert_lite.inference.model import Session
from structbert_lite.inference.tokenizer import Tokenizer
from structbert_lite.manifest import MODEL_NAME, TOKENIZER_NAME, read_manifest

TEXTS = ["好", "这部电影太烂了，完全浪费时间", "房间很干净，早餐也不错，下次还会再来。"]


def test_the_light_side_gives_the_bits_of_the_session(model_folder: Path) -> None:
    manifest = read_manifest(model_folder)
    tokenizer = Tokenizer(model_folder / TOKENIZER_NAME, manifest.max_tokens)
    session = Session(model_folder / MODEL_NAME, manifest.inputs, manifest.pad_id)
    expected = session.run(tokenizer.encode(TEXTS))
    with start_side(light_command(model_folder)) as side:
        assert side.facts["labels"] == list(manifest.labels)
        batches = [TEXTS[:2], TEXTS[2:]]
        for threads in (1, 2):
            answer = side.ask(batches, threads)
            assert answer.logits.tobytes() == expected.tobytes()
            assert answer.logits.dtype == np.float32
            assert len(answer.seconds) == 2
        assert answer.wall > 0
        assert side.started_in > 0
        assert side.memory_mb() > 20
        side.forget_peak()
        before = side.peak_mb()
        side.ask([["长" * 200] * 8])
        assert side.peak_mb() > before


def test_what_is_no_model_is_refused_in_its_own_words(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match=r"has no manifest\.json"), start_side(light_command(tmp_path)):
        pass


def test_a_process_that_ends_is_noticed() -> None:
    code = "import sys; print('{\"ready\": {}}', flush=True); sys.stdin.readline(); sys.exit('out of memory')"
    with start_side([sys.executable, "-c", code]) as side, pytest.raises(RuntimeError, match="out of memory"):
        side.ask([["好"]])
