from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer as Reference
from tokenizers import models, pre_tokenizers, processors

from structbert_lite.errors import InvalidModel
from structbert_lite.inference.tokenizer import MOST_CHARACTERS, Tokenizer
from structbert_lite.settings import PROJECT
from tests.tiny_models import TOKENIZER

PATH = TOKENIZER
LIMIT = 16
tokenizer = Tokenizer(PATH, LIMIT)
reference = Reference.from_file(str(PATH))
reference.no_padding()
reference.no_truncation()
truncating = Reference.from_file(str(PATH))
truncating.enable_truncation(LIMIT)
DEFAULT = Tokenizer(PROJECT / "models" / "sentiment" / "tokenizer.json", 512)


def expected(text: str) -> tuple[list[int], bool]:
    ids = reference.encode(text).ids
    return (ids if len(ids) <= LIMIT else [*ids[: LIMIT - 1], ids[-1]]), len(ids) > LIMIT


# Surrogates cannot be encoded and never get here: the JSON layer refuses them.
characters = st.characters(exclude_categories=["Cs"]) | st.sampled_from("好坏ab .，😀❤\u200d\ufe0f\x1f")


ENDLESS = {"one word": "a", "blank": " ", "invisible": "\u200b", "marks": "\u0301"}


@pytest.mark.parametrize("character", ENDLESS.values(), ids=ENDLESS.keys())
def test_patience_with_a_text_of_hardly_a_token_ends(character: str) -> None:
    most = MOST_CHARACTERS
    endless, near = character * (2 * most) + " 好", character * (most // 2) + " 好"
    (encoding,) = tokenizer.encode([endless])
    assert encoding.truncated
    assert encoding.ids == tokenizer.encode([character * most])[0].ids  # 好 was not read
    assert tokenizer.encode([near])[0].ids == reference.encode(near).ids
    for pair in ((endless, "坏"), ("坏", endless)):
        (encoding,) = tokenizer.encode([pair])
        assert encoding.truncated
        assert len(encoding) <= LIMIT
    shortened, truncated = tokenizer.shorten((endless, "坏"), LIMIT)
    assert truncated
    assert max(map(len, shortened)) <= most
    (piece,), left = tokenizer.split(endless, LIMIT, 0, 1)
    assert left
    assert len(piece) <= most


@settings(max_examples=300)
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
    with pytest.raises(InvalidModel, match="is not a tokenizer"):
        Tokenizer(path, LIMIT)


def test_a_megabyte_of_one_character() -> None:
    (encoding,) = tokenizer.encode(["好" * (1 << 20)])
    assert encoding.truncated
    assert len(encoding) == LIMIT


@settings(max_examples=300)
@given(*[st.text(characters) | st.text(characters, max_size=9).map(lambda t: t * 9)] * 2)
def test_a_pair_gets_what_the_library_gives(a: str, b: str) -> None:
    (encoding,) = tokenizer.encode([(a, b)])
    (expected,) = truncating.encode_batch([(a, b)])
    assert (encoding.ids, encoding.type_ids) == (expected.ids, expected.type_ids)
    assert encoding.truncated == bool(expected.overflowing)


@pytest.mark.parametrize("lengths", [(150, 151), (151, 150), (150, 150), (2, 400), (400, 8)])
def test_the_odd_token_of_a_pair_goes_where_the_library_gives_it(lengths: tuple[int, int]) -> None:
    """Both texts are longer than their beginnings that are read, which tell nothing about which is the longer one."""
    pair = "，".join("好" * lengths[0]), "坏" * lengths[1] * 2
    library = Reference.from_file(str(PATH))
    for limit in (LIMIT, LIMIT + 1):
        library.enable_truncation(limit)
        assert Tokenizer(PATH, limit).encode([pair])[0].ids == library.encode(*pair).ids


def test_a_limit_that_leaves_no_room_is_refused() -> None:
    """The library would switch truncation off and hand a text of any length to the model."""
    with pytest.raises(InvalidModel, match="puts 2 tokens around a text, so max_tokens 2 leaves no room"):
        Tokenizer(PATH, 2)
    assert len(Tokenizer(PATH, 3).encode(["好坏" * 50])[0]) == 3
    assert Tokenizer(PATH, 4).room_for_two == 1


@pytest.mark.parametrize(
    "text", ["\ufe0f", "\u0301", "\u034f\u034f", "\ufffd", "\u20e3", " \u200b", "\ufe0f" * 300_000]
)
def test_a_text_of_which_nothing_is_left(text: str) -> None:
    assert tokenizer.deletes(text)
    assert DEFAULT.deletes(text)


@pytest.mark.parametrize("text", ["好", "。", "?", "😡", "\U0001fae9", "é", "か", "e\u0301", "\U0001fa77\ufe0f"])
def test_a_text_of_which_something_is_left(text: str) -> None:
    assert not tokenizer.deletes(text)
    assert not DEFAULT.deletes(text)


def test_quotation_marks_alone_say_nothing_to_the_default_models() -> None:
    assert DEFAULT.deletes('《》""')
    assert not tokenizer.deletes('《》""')


@pytest.mark.parametrize(
    ("copied", "meant"),
    [
        ("⼈⼯智能", "人工智能"),
        ("⻓⻔⻛⻋", "长门风车"),
        ("⻄⺠⻢⻰", "西民马龙"),
        ("\uf900\uf92f", "岂劳"),
        ("\U0002f9d4", "貫"),
    ],
)
def test_the_default_models_read_radicals_out_of_a_pdf_as_characters(copied: str, meant: str) -> None:
    one, other = DEFAULT.encode([copied, meant])
    assert one.ids == other.ids
    assert DEFAULT.encode(["\u4dff"])[0].ids[-2] not in one.ids  # known, all of them


@pytest.mark.parametrize("pair", [("好" * 100_000, "坏" * 100_000), ("好", "坏" * 100_000), ("坏" * 100_000, "")])
def test_a_long_pair_is_read_as_far_as_it_fits(pair: tuple[str, str]) -> None:
    (encoding,) = tokenizer.encode([pair])
    assert len(encoding) == LIMIT
    assert encoding.truncated
    ids = reference.encode(*[part[:LIMIT] for part in pair]).ids
    assert set(encoding.ids) == set(ids)
    assert encoding.type_ids == sorted(encoding.type_ids)


def test_texts_and_pairs_in_one_call() -> None:
    mixed = tokenizer.encode(["好", ("好", "坏" * 50), ("好", "坏"), "坏" * 1000])
    assert [e.ids for e in mixed] == [
        tokenizer.encode([one])[0].ids for one in ["好", ("好", "坏" * 50), ("好", "坏"), "坏" * 1000]
    ]


@settings(max_examples=200)
@given(
    st.text(characters)
    | st.lists(st.sampled_from(["好", "unbelievable ", "，", "😡", " 12345"]), max_size=90).map("".join)
)
def test_pieces_have_all_the_tokens_of_the_whole(text: str) -> None:
    whole = reference.encode(text, add_special_tokens=False).tokens
    pieces, left = tokenizer.split(text, 10, 0, 1000)
    assert not left
    tokens = [token for piece in pieces for token in reference.encode(piece, add_special_tokens=False).tokens]
    assert tokens == whole
    if len(pieces) > 1:
        overlapping, _ = tokenizer.split(text, 10, 3, 1000)
        assert len(overlapping) >= len(pieces)


def test_a_piece_and_what_is_beside_it_fit() -> None:
    query = "退款多久到账"
    room = tokenizer.room_beside(query)
    pieces, left = tokenizer.split("今天天气很好，" * 30, room, room // 4, 64)
    assert not left
    assert not any(encoding.truncated for encoding in tokenizer.encode([(query, piece) for piece in pieces]))


def test_a_very_long_text_is_split_as_far_as_asked() -> None:
    pieces, left = tokenizer.split("好" * (1 << 20), 5, 1, 7)
    assert left
    assert pieces == ["好" * 5] * 7
    assert tokenizer.split("好坏" * 30, 4, 0, 1) == (["好坏好坏"], True)
    assert tokenizer.split("好坏", 4, 0, 1) == (["好坏"], False)


@pytest.fixture(scope="module")
def paragraph_tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Tokenizer:
    """Like XLM-RoBERTa's: splits at spaces only, and two characters may be one token, depending on what is before."""
    pieces = [("<s>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("▁", -3.0)]
    pieces += [(piece, -float(len(piece))) for piece in [*"今天气很好坏", "今天", "天气", "很好", "好今", "▁今天"]]
    library = Reference(models.Unigram(pieces, unk_id=2))
    library.pre_tokenizer = pre_tokenizers.Metaspace()
    library.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> </s> $B </s>", special_tokens=[("<s>", 0), ("</s>", 1)]
    )
    path = tmp_path_factory.mktemp("tokenizer") / "tokenizer.json"
    library.save(str(path))
    return Tokenizer(path, 64)


@settings(max_examples=100)
@given(st.text("今天气很好坏 ", min_size=1, max_size=400))
def test_a_paragraph_without_spaces_is_cut_into_pieces_that_fit(paragraph_tokenizer: Tokenizer, text: str) -> None:
    query = "今天好"
    room = paragraph_tokenizer.room_beside(query)
    pieces, left = paragraph_tokenizer.split(text, room, 8, 64)
    assert not left
    assert not any(e.truncated for e in paragraph_tokenizer.encode([(query, piece) for piece in pieces]))
    end = 0
    for piece in pieces:  # each goes on where the one before ended, or before that
        start = text.find(piece, 0 if not end else max(0, end - 40))
        assert text[end:start].strip() == ""
        end = max(end, start + len(piece))
    assert text[end:].strip() == ""


@pytest.mark.parametrize("file", [PROJECT / "models/zero-shot/tokenizer.json", PROJECT / "tests/data/wordpiece.json"])
def test_tokenizers_of_one_file_share_it_and_give_its_ids(file: Path) -> None:
    plain = Reference.from_file(str(file))
    plain.no_padding()
    long, short = Tokenizer(file, 64), Tokenizer(file, 8)
    for text in ("物流很快，包装也很好", "iPhone 15 [MASK]<mask>好", "</s>[SEP]坏", "怎么退款？？"):
        assert long.encode([text])[0].ids == plain.encode(text).ids
    pair = ("怎么退款", "点退款按钮")
    assert long.encode([pair])[0].ids == plain.encode(*pair).ids
    assert len(short.encode(["物流很快，包装也很好，下次还来买"])[0]) == 8
    assert not long.encode(["物流很快，包装也很好，下次还来买"])[0].truncated


def test_all_tokens_of_a_text_are_listed_with_their_places() -> None:
    text = "好" * (2 * LIMIT)
    found = tokenizer.tokens(text)
    assert [one.id for one in found] == reference.encode(text).ids
    assert [one.special for one in found] == [True, *[False] * len(text), True]
    assert [(one.text, text[one.start : one.end]) for one in found[1:-1]] == [("好", "好")] * len(text)
    assert [one.id for one in tokenizer.tokens("ab", special=False)] == reference.encode(
        "ab", add_special_tokens=False
    ).ids
