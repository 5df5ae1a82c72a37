"""The question is read as it was trained, and stays whole however long the texts are."""

import pytest

pytest.importorskip("torch", reason="needs requirements-export.txt")
pytest.importorskip("transformers", reason="needs requirements-export.txt")

from tokenizers import Tokenizer, pre_tokenizers

from export.refusal import ExportRefused
from export.span.prompt import LONGEST_TEXT, SPANS, join_apart, load_prompting
from export.tokenizer import write_tokenizer
from tests.export.span.make_span_checkpoint import make_span_vocabulary

ANSWERS = ["[CLS]", *"相似,不相似|"]
PROMPT = ["[CLS]", *"文本匹配:", "[SEP]"]


def write(folder, vocabulary):
    """The exporter's tokenizer.json from a vocab.txt."""
    folder.mkdir(exist_ok=True)
    (folder / "vocab.txt").write_bytes("".join(f"{token}\n" for token in vocabulary).encode())
    write_tokenizer(folder, folder / "tokenizer.json", len(vocabulary), ["好"])
    return folder / "tokenizer.json"


@pytest.fixture
def path(tmp_path):
    path = write(tmp_path / "made", make_span_vocabulary(2000))
    join_apart(path)
    return path


def test_text_and_prompt_stand_apart(asking):
    (encoding,) = asking.encode_batch([("好", "很好")])
    assert encoding.tokens == [*ANSWERS, "好", "&", "很", "好", "[SEP]", *PROMPT]
    assert encoding.type_ids == [0] * 13 + [1] * 7
    (different, similar) = ("".join(encoding.tokens[first : last + 1]) for first, last in SPANS)
    assert (different, similar) == ("不相似", "相似")


@pytest.mark.parametrize(
    "pair", [("好" * 500, "很好"), ("很好", "好" * 500), ("好" * 500, "坏" * 500), ("{b}|&", "\u0301,{a}")]
)
def test_answers_prompt_and_both_texts_are_there_however_long(asking, pair):
    (encoding,) = asking.encode_batch([pair])
    assert len(encoding) <= 96
    assert encoding.tokens[: len(ANSWERS)] == ANSWERS
    assert encoding.tokens[-len(PROMPT) :] == PROMPT
    if len(pair[0]) + len(pair[1]) > 500:
        assert len(encoding) == 96
        a, b = "".join(encoding.tokens[len(ANSWERS) : -len(PROMPT) - 1]).split("&")
        assert pair[0].startswith(a)
        assert pair[1].startswith(b)
        assert min(len(a), len(b)) >= 2


def test_a_vocabulary_without_the_question(tmp_path):
    with pytest.raises(ExportRefused, match="does not read '相似,不相似"):
        join_apart(write(tmp_path / "made", [c for c in make_span_vocabulary(2000) if c != "匹"]))


def test_answers_that_stand_elsewhere(tmp_path):
    words = make_span_vocabulary(2000)
    words[words.index("[filler0]")] = "相似"
    path = write(tmp_path / "made", words)
    tokenizer = Tokenizer.from_file(str(path))
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.normalizer = None  # without it Chinese characters are not words of their own
    tokenizer.save(str(path))
    with pytest.raises(ExportRefused, match="as siamese-uninlu was trained to"):
        join_apart(path)


def test_how_long_an_input_is(path):
    assert load_prompting(path, None, 512, 0)[1] == LONGEST_TEXT + 7
    assert load_prompting(path, None, 64, 0)[1] == 64
    assert load_prompting(path, 500, 512, 0)[1] == 500
    with pytest.raises(ExportRefused, match=r"20 tokens leave no room .* take 17 of them"):
        load_prompting(path, 20, 512, 0)
