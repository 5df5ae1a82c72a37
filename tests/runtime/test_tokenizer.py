from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer as Reference

from structbert_lite.errors import ModelRefused
from structbert_lite.runtime.tokenizer import Tokenizer
from structbert_lite.settings import PROJECT

PATH = PROJECT / "models" / "sentiment" / "tokenizer.json"
LIMIT = 16
tokenizer = Tokenizer(PATH, LIMIT)
reference = Reference.from_file(str(PATH))
reference.no_padding()
reference.no_truncation()


def expected(text: str) -> tuple[list[int], bool]:
    ids = reference.encode(text).ids
    return (ids if len(ids) <= LIMIT else [*ids[: LIMIT - 1], ids[-1]]), len(ids) > LIMIT


# Surrogates cannot be encoded and never get here: the JSON layer refuses them.
characters = st.characters(exclude_categories=["Cs"]) | st.sampled_from("好坏ab .，😀❤\u200d\ufe0f\x1f")


@settings(deadline=None, max_examples=300)
@given(st.text(characters) | st.text(characters).map(lambda t: t * 40))
def test_reads_only_the_beginning_and_gets_the_same(text: str) -> None:
    (encoding,) = tokenizer.encode([text])
    assert (encoding.ids, encoding.truncated) == expected(text)
    assert len(encoding.type_ids) == len(encoding)


@pytest.mark.parametrize(
    "text",
    [
        "好" * 100_000,
        " " * 100_000 + "好",
        "a" * 100_000,
        ("a" * 99 + " ") * 1000,
        "x" * 129 + "好" * 500,
        "0A\x1f" * 40 + "\x1f" * 100_000 + "0" * 100,
        "。" * 100_000,
    ],
    ids=[
        "character",
        "spaces first",
        "one word",
        "long words",
        "word over the edge",
        "word with control characters",
        "full stops",
    ],
)
def test_long_texts(text: str) -> None:
    (encoding,) = tokenizer.encode([text])
    assert (encoding.ids, encoding.truncated) == expected(text)


def test_several_texts_keep_their_order() -> None:
    texts = ["好", "坏" * 1000, "", "还行"]
    assert [e.ids for e in tokenizer.encode(texts)] == [expected(text)[0] for text in texts]


def test_emoji_have_tokens_of_their_own() -> None:
    ids = {text: tokenizer.encode([text])[0].ids for text in ("😡", "👍", "👍🏽", "❤️", "❤")}
    assert ids["😡"] != ids["👍"]
    assert ids["👍"] == ids["👍🏽"]
    assert ids["❤️"] == ids["❤"]


def test_a_file_that_is_no_tokenizer_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "tokenizer.json"
    path.write_text("{}")
    with pytest.raises(ModelRefused, match="is not a tokenizer"):
        Tokenizer(path, LIMIT)


def test_a_megabyte_of_one_character() -> None:
    (encoding,) = tokenizer.encode(["好" * (1 << 20)])
    assert encoding.truncated
    assert len(encoding) == LIMIT
