"""tokenizer.json is copied untouched or built so that ids are vocab.txt's line numbers."""

import json

import pytest

pytest.importorskip("torch", reason="needs requirements-export.txt")
pytest.importorskip("transformers", reason="needs requirements-export.txt")

from tokenizers import Tokenizer
from transformers import BertTokenizerFast

from export.architecture import BERT, XLM_ROBERTA
from export.encoding import load_tokenizer
from export.refusal import ExportRefused
from export.texts import DEFAULT_TEXTS, PARITY_TEXTS, read_texts
from export.tokenizer import pad_id, read_vocabulary, write_tokenizer
from structbert_lite.inference.tokenizer import Tokenizer as ServedTokenizer
from tests.export.make_checkpoint import BLANK_LINE, LINE_SEPARATOR
from tests.export.make_pairs_checkpoint import make_unigram

TEXTS = [*read_texts(DEFAULT_TEXTS), *PARITY_TEXTS]


@pytest.fixture
def folder(tmp_path, vocabulary):
    (tmp_path / "vocab.txt").write_bytes("".join(f"{token}\n" for token in vocabulary).encode())
    return tmp_path


def refusal(folder, rows=2000):
    with pytest.raises(ExportRefused) as caught:
        write_tokenizer(folder, folder / "made.json", rows, TEXTS)
    return str(caught.value)


def test_ids_are_line_numbers_across_a_blank_line_and_u2028(folder, vocabulary):
    assert (vocabulary[BLANK_LINE], vocabulary[LINE_SEPARATOR]) == ("", "\u2028")
    assert read_vocabulary(folder / "vocab.txt") == vocabulary
    assert write_tokenizer(folder, folder / "made.json", 2000, TEXTS) == "tokenizer.json built from vocab.txt"
    tokenizer = Tokenizer.from_file(str(folder / "made.json"))
    expected = [101, *(vocabulary.index(c) for c in "好吃a"), 102]
    assert tokenizer.encode("好吃 A").ids == expected  # lower-cased
    assert {token: tokenizer.token_to_id(token) for token in ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")} == {
        "[PAD]": 0, "[UNK]": 100, "[CLS]": 101, "[SEP]": 102, "[MASK]": 103,
    }  # fmt: skip


def test_windows_line_ends_and_a_last_blank_line_change_nothing(folder, vocabulary):
    (folder / "vocab.txt").write_bytes("".join(f"{token}\r\n" for token in vocabulary).encode() + b"\r\n")
    assert read_vocabulary(folder / "vocab.txt") == vocabulary


def test_tokenizer_config_decides_about_case(folder):
    (folder / "tokenizer_config.json").write_text('{"do_lower_case": false, "tokenizer_class": "BertTokenizer"}')
    write_tokenizer(folder, folder / "made.json", 2000, TEXTS)
    assert Tokenizer.from_file(str(folder / "made.json")).encode("A").ids == [101, 100, 102]


def test_a_vocabulary_that_lost_its_blank_line(folder, vocabulary):
    (folder / "vocab.txt").write_text("\n".join(token for token in vocabulary if token), "utf-8")
    assert "vocab.txt has 1999 lines, the embedding table 2000 rows" in refusal(folder)


def test_a_vocabulary_without_cls(folder, vocabulary):
    (folder / "vocab.txt").write_text("\n".join(vocabulary).replace("[CLS]", "<s>"), "utf-8")
    assert "vocab.txt has no [CLS]" in refusal(folder)


def test_another_tokenizer(folder):
    (folder / "tokenizer_config.json").write_text('{"tokenizer_class": "XLMRobertaTokenizer"}')
    assert "XLMRobertaTokenizer, which is not BERT's" in refusal(folder)


def test_vocabulary_that_is_not_text(folder):
    (folder / "vocab.txt").write_bytes(b"\xff\xfe[PAD]")
    assert "not UTF-8" in refusal(folder)


def test_no_vocabulary_at_all(tmp_path):
    assert "neither tokenizer.json nor vocab.txt" in refusal(tmp_path)


@pytest.fixture
def spec(folder):
    """A tokenizer.json as our training writes it: an added token in an unused slot, a normalizer of its own."""
    write_tokenizer(folder, folder / "made.json", 2000, TEXTS)
    spec = json.loads((folder / "made.json").read_text("utf-8"))
    del spec["model"]["vocab"]["[unused1]"]
    spec["model"]["vocab"]["🦄"] = 1
    flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": False}
    spec["added_tokens"].insert(1, {"id": 1, "content": "🦄", **flags})
    drop = {"type": "Replace", "pattern": {"Regex": "[\ufe0f]"}, "content": ""}
    spec["normalizer"] = {"type": "Sequence", "normalizers": [drop, spec["normalizer"]]}
    return spec


def test_tokenizer_json_is_copied_byte_for_byte(folder, spec):
    (folder / "tokenizer.json").write_text(json.dumps(spec, ensure_ascii=False), "utf-8")
    assert write_tokenizer(folder, folder / "made.json", 2000, TEXTS) == "tokenizer.json copied"
    assert (folder / "made.json").read_bytes() == (folder / "tokenizer.json").read_bytes()
    assert Tokenizer.from_file(str(folder / "made.json")).encode("好🦄\ufe0f").ids[2:] == [1, 102]


def test_tokenizer_json_that_does_not_fit(folder, spec):
    path = folder / "tokenizer.json"
    path.write_text(json.dumps(spec), "utf-8")
    assert "has the id 1999, the embedding table only 1500 rows" in refusal(folder, rows=1500)
    (folder / "vocab.txt").write_text("[PAD]\n[CLS]\n", "utf-8")
    assert "gives [CLS] the id 101, vocab.txt 1" in refusal(folder)
    path.write_text(json.dumps(spec | {"post_processor": None}), "utf-8")
    (folder / "vocab.txt").unlink()
    assert "between [CLS] and [SEP]" in refusal(folder)
    path.write_text("{", "utf-8")
    assert "tokenizer.json cannot be read" in refusal(folder)


@pytest.mark.parametrize("lowercase", [True, False])
@pytest.mark.parametrize(
    "options",
    [
        None,
        {},
        {"do_lower_case": True},
        {"do_lower_case": False, "tokenizer_class": "BertTokenizer"},
        {"strip_accents": False, "tokenize_chinese_chars": False},
        {"do_lower_case": False, "strip_accents": True, "tokenizer_class": "BertTokenizerFast"},
    ],
)
def test_tokenizer_config_overrules_tokenizer_json_as_in_transformers(folder, spec, lowercase, options):
    spec["normalizer"] = {**spec["normalizer"]["normalizers"][1], "lowercase": lowercase}
    (folder / "tokenizer.json").write_text(json.dumps(spec), "utf-8")
    if options is not None:
        (folder / "tokenizer_config.json").write_text(json.dumps(options), "utf-8")
    write_tokenizer(folder, folder / "made.json", 2000, TEXTS)
    (folder / "vocab.txt").unlink()
    reference, made = BertTokenizerFast.from_pretrained(folder), Tokenizer.from_file(str(folder / "made.json"))
    for text in [*TEXTS, "A好", "Café É", "🦄"]:
        assert made.encode(text).ids == reference(text)["input_ids"]


def test_a_class_that_takes_tokenizer_json_as_it_is(folder, spec):
    spec["normalizer"] = {**spec["normalizer"]["normalizers"][1], "lowercase": False}
    (folder / "tokenizer.json").write_text(json.dumps(spec), "utf-8")
    (folder / "tokenizer_config.json").write_text('{"tokenizer_class": "PreTrainedTokenizerFast"}', "utf-8")
    assert write_tokenizer(folder, folder / "made.json", 2000, TEXTS).startswith("tokenizer.json copied")
    assert (folder / "made.json").read_bytes() == (folder / "tokenizer.json").read_bytes()


def test_a_fixed_length_is_whoever_saved_its(folder, spec):
    """The server pads and cuts by its own limits."""
    padding = {"strategy": {"Fixed": 16}, "direction": "Right", "pad_id": 0, "pad_type_id": 0, "pad_token": "[PAD]"}
    limit = {"max_length": 8, "strategy": "LongestFirst", "stride": 0, "direction": "Right"}
    spec |= {"padding": {**padding, "pad_to_multiple_of": None}, "truncation": limit}
    (folder / "tokenizer.json").write_text(json.dumps(spec), "utf-8")
    assert write_tokenizer(folder, folder / "made.json", 2000, TEXTS, reads_pairs=True) == "tokenizer.json copied"
    (short, long) = load_tokenizer(folder / "made.json", 32, 0).encode_batch(["好", "好" * 50])
    assert (len(long.ids), sum(short.attention_mask)) == (32, 3)
    served = ServedTokenizer(folder / "made.json", 32)
    assert [len(encoding) for encoding in served.encode(["好", "好" * 50])] == [3, 32]


def test_what_is_said_of_capitals(folder, vocabulary):
    (folder / "tokenizer_config.json").write_text('{"do_lower_case": false}', "utf-8")
    how = write_tokenizer(folder, folder / "made.json", 2000, TEXTS)
    assert how.startswith(
        "tokenizer.json built from vocab.txt, which leaves capitals as they are though the vocabulary"
    )
    cased = [token.replace("[filler1]", "NBA") for token in vocabulary]
    (folder / "vocab.txt").write_bytes("".join(f"{token}\n" for token in cased).encode())
    assert write_tokenizer(folder, folder / "made.json", 2000, TEXTS) == "tokenizer.json built from vocab.txt"
    (folder / "tokenizer_config.json").unlink()
    assert "lower-cases every text though the vocabulary has capitals" in write_tokenizer(
        folder, folder / "made.json", 2000, TEXTS
    )


def test_xlm_roberta_brings_its_own(tmp_path):
    with pytest.raises(ExportRefused, match=r"has no tokenizer\.json, which XLM-RoBERTa needs"):
        write_tokenizer(tmp_path, tmp_path / "made.json", 800, TEXTS, XLM_ROBERTA)
    make_unigram().save(str(tmp_path / "tokenizer.json"))
    write_tokenizer(tmp_path, tmp_path / "made.json", 800, TEXTS, XLM_ROBERTA, reads_pairs=True)
    assert (tmp_path / "made.json").read_bytes() == (tmp_path / "tokenizer.json").read_bytes()
    assert pad_id(tmp_path / "made.json", XLM_ROBERTA) == 1


def test_berts_tokenizer_beside_xlm_robertas_weights(folder):
    write_tokenizer(folder, folder / "tokenizer.json", 2000, TEXTS)
    with pytest.raises(ExportRefused, match=r"tokenizer\.json has no <pad>, so it is not XLM-RoBERTa's"):
        write_tokenizer(folder, folder / "made.json", 2000, TEXTS, XLM_ROBERTA)


@pytest.mark.parametrize("kind", ["bert", "xlm-roberta"])
def test_pairs_that_are_joined_otherwise(folder, kind):
    architecture, rows = (BERT, 2000) if kind == "bert" else (XLM_ROBERTA, 800)
    if kind == "bert":
        write_tokenizer(folder, folder / "tokenizer.json", rows, TEXTS)
    else:
        make_unigram().save(str(folder / "tokenizer.json"))
        (folder / "vocab.txt").unlink()
    spec = json.loads((folder / "tokenizer.json").read_text("utf-8"))
    spec["post_processor"]["pair"] = [*spec["post_processor"]["single"], {"Sequence": {"id": "B", "type_id": 0}}]
    (folder / "tokenizer.json").write_text(json.dumps(spec), "utf-8")
    write_tokenizer(folder, folder / "made.json", rows, TEXTS, architecture)  # single texts are read as ever
    with pytest.raises(ExportRefused, match=f"does not join two texts as {architecture.name} reads them"):
        write_tokenizer(folder, folder / "made.json", rows, TEXTS, architecture, reads_pairs=True)
