"""The vocabulary of the default models: XLM-R's, folded and pruned for Chinese.

Folding is part of the tokenizer, so what it makes equal gets the same token ids and so the same answer to the bit:
XLM-R's own normalization (NFKC, blanks, control characters), then case, traditional characters, radicals, dashes, emoji
modifiers, repeated marks; quotation marks go, and so do full stops, commas, exclamation marks, dots and waves at the
very end.

A piece is kept when folding leaves it as it is and it is one of:
1. Han characters, with or without digits, ASCII and punctuation beside them, and no kana or hangul;
2. printable ASCII of at most three characters, or one of XLM-R's first 40,000 pieces;
3. one character above U+1F000, or a punctuation mark or symbol of one character.
A piece with capitals or traditional characters whose folded form is no piece gives that form its row and its score: the
table then has a row for what XLM-R knows only as "▁NBA".
The other way round, a common misspelling that is no word (misspellings.tsv) gets the row and the score of the word that
is meant, in each piece that holds that.
"""

import io
import json
import re
import tempfile
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import sentencepiece
from opencc import OpenCC
from sentencepiece import sentencepiece_model_pb2
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors

BEGIN, PAD, END, UNKNOWN, MASK = "<s>", "<pad>", "</s>", "<unk>", "<mask>"
SPECIAL = (PAD, BEGIN, END, UNKNOWN, MASK)  # the first rows of the new table; padding is row 0, as in BERT
SPACE = "▁"  # SentencePiece's mark of a blank
FREQUENT = 40_000
HAN = re.compile("[\u3400-\u4dbf\u4e00-\u9fff]")
OTHER_SCRIPTS = re.compile("[\u0370-\u1cff\u3040-\u30ff\u3130-\u318f\uac00-\ud7af]")
ASCII = re.compile(f"{SPACE}?[\x21-\x7e]*")
QUOTES = {**dict.fromkeys("“”„‟「」『』〝〞", '"'), **dict.fromkeys("‘’‚‛`´", "'")}
DASHES = dict.fromkeys("‐‑‒–—―−", "-")
BRACKETS = {**dict.fromkeys("【〔〖", "["), **dict.fromkeys("】〕〗", "]")}
# Radicals that NFKC leaves alone and that PDF files put in the place of the character (⻓ for 长), with Unicode's
# Equivalent_Unified_Ideograph of each; what is only ever a part of a character is not among them.
RADICALS = dict(
    zip(
        "⺁⺄⺈⺊⺌⺍⺎⺒⺓⺗⺜⺝⺠⺣⺧⺩⺫⺬⺴⺶⺻⺼⺾⺿⻀⻁⻄⻅⻆⻉⻋⻏⻑⻓⻔⻗⻘⻙⻚⻛⻜⻝⻢⻣⻤⻥⻦⻧⻨⻩⻫⻬⻭⻮⻯⻰⻱⻲",
        "厂乙刀卜小小兀巳幺心日月民灬牛王目示冗羊聿肉艹艹艹虎西见角贝车邑長长门雨青韦页风飞食马骨鬼鱼鸟卤麦黄斉齐歯齿竜龙龜亀",
        strict=True,
    )
)
# Variation selectors, the joiner of emoji and skin tones: no piece has them.
DROPPED = dict.fromkeys(["\u200d", "\ufe0e", "\ufe0f", *map(chr, range(0x1F3FB, 0x1F400))], "")
# One mark after another: how many there are says nothing that a label hangs on.
REPEATED = (
    ("!{2,}", "!"),
    ("！{2,}", "！"),
    (r"\?{2,}", "?"),
    ("？{2,}", "？"),
    ("[~～]{2,}", "~"),
    ("。{2,}|[.]{3,}", "..."),
    ("-{2,}", "-"),
)
# Marks of a quotation or a title. An apostrophe within a Latin word stays: can't.
QUOTATION = r"[\"《》〈〉]|(?<![a-z0-9])'|'(?![a-z0-9])"
MISSPELLINGS = Path(__file__).with_name("misspellings.tsv")  # wrong and right, of one length
LAST_MARKS = r"(?<=[\p{L}\p{N}\p{So}\)）\]])[\s.。!！,，;；~～]+$"


Piece = tuple[str, float, int]  # text, log probability, row of the old word table


def make_tokenizer(pieces: list[tuple[str, float]], normalize: Callable[[str], str]) -> tuple[Tokenizer, list[int]]:
    """(folding tokenizer, for each of its ids the row of the old word table) from a unigram vocabulary.

    `pieces` are text and log probability by row, `normalize` is what the old tokenizer makes of a character.
    """
    charsmap = compile_map(fold_map(normalize))
    folded = _fold_pieces(pieces, _normalizer(charsmap))
    kept = [piece for piece in folded if piece[0] in SPECIAL or _wanted(piece)]
    lines = MISSPELLINGS.read_text("utf-8").splitlines()[1:]
    kept = spell(kept, [tuple(line.split("\t")) for line in lines])
    return _build(kept, charsmap), [row for _, _, row in kept]


def fold_map(normalize: Callable[[str], str]) -> dict[str, str]:
    """What each character that changes becomes."""
    simplify = OpenCC("t2s").convert
    folded = {}
    for code in (*range(0xD800), *range(0xE000, 0x110000)):
        character = chr(code)
        if unicodedata.category(character) == "Cn":
            continue
        own = {**QUOTES, **DASHES, **BRACKETS, **RADICALS, **DROPPED}
        new = own[character] if character in own else "".join(own.get(c, c) for c in normalize(character))
        new = "".join(simplify(c) if HAN.match(c) else c for c in new.lower())
        if new != character:
            folded[character] = new
    return folded


def fold_wordpiece(spec: dict[str, Any]) -> dict[str, Any]:
    """A Chinese BERT's tokenizer.json with the same folding in front of its own normalizer.

    Such a vocabulary has Chinese marks, full width, and no capitals: marks keep their width, everything else is folded.
    """

    def normalize(character: str) -> str:
        if character == "…":
            return "..."
        return character if unicodedata.category(character)[0] in "PS" else unicodedata.normalize("NFKC", character)

    changed = fold_map(normalize)
    front = json.loads(_build([(piece, 0.0, 0) for piece in SPECIAL], compile_map(changed)).to_str())["normalizer"]
    own = (
        {**spec["normalizer"], "lowercase": True}
        if spec["normalizer"]["type"] == "BertNormalizer"
        else spec["normalizer"]
    )
    return {**spec, "normalizer": {"type": "Sequence", "normalizers": [*front["normalizers"], own]}}


def compile_map(changed: dict[str, str]) -> bytes:
    """`changed` as the trie that SentencePiece and tokenizers' Precompiled read; only its trainer compiles one."""
    with tempfile.NamedTemporaryFile("w", suffix=".tsv") as rules:
        for old, new in changed.items():
            rules.write(f"{ord(old):X}\t{' '.join(f'{ord(c):X}' for c in new)}\n")
        rules.flush()
        model = io.BytesIO()
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(["any text will do"] * 10),
            model_writer=model,
            vocab_size=40,
            hard_vocab_limit=False,
            normalization_rule_tsv=rules.name,
            minloglevel=2,
        )
    proto = sentencepiece_model_pb2.ModelProto()
    proto.ParseFromString(model.getvalue())
    return proto.normalizer_spec.precompiled_charsmap


def _normalizer(charsmap: bytes) -> normalizers.Normalizer:
    return normalizers.Sequence(
        [
            normalizers.NFC(),
            normalizers.Precompiled(charsmap),
            normalizers.Replace(Regex(QUOTATION), ""),
            *(normalizers.Replace(Regex(pattern), new) for pattern, new in REPEATED),
            normalizers.Replace(Regex(LAST_MARKS), ""),
        ]
    )


def _build(pieces: list[Piece], charsmap: bytes) -> Tokenizer:
    ids = {piece: i for i, (piece, _, _) in enumerate(pieces)}
    tokenizer = Tokenizer(models.Unigram([(piece, score) for piece, score, _ in pieces], ids[UNKNOWN], False))
    tokenizer.normalizer = _normalizer(charsmap)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace(replacement=SPACE, prepend_scheme="always")]
    )
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{BEGIN} $A {END}",
        pair=f"{BEGIN} $A {END} {END} $B {END}",
        special_tokens=[(BEGIN, ids[BEGIN]), (END, ids[END])],
    )
    return tokenizer


def _fold_pieces(pieces: list[tuple[str, float]], normalizer: normalizers.Normalizer) -> list[Piece]:
    """The special pieces, those that folding leaves alone, and folded forms that have no row of their own."""
    rows = {piece: row for row, (piece, _) in enumerate(pieces)}
    special = [(piece, 0.0, rows[piece]) for piece in SPECIAL]
    alone, made = [], {}
    for row, (piece, score) in enumerate(pieces):
        if piece in SPECIAL:
            continue
        text = piece.replace(SPACE, "")
        folded = piece.replace(text, _fold_characters(text, normalizer)) if text else piece
        if folded == piece:
            alone.append((piece, score, row))
        elif folded not in rows and folded not in made and folded.strip(SPACE):
            made[folded] = (folded, score, row)
    return special + alone + list(made.values())


def spell(pieces: Sequence[Piece], spellings: Iterable[tuple[str, ...]]) -> list[Piece]:
    """`pieces`, and each piece that holds a word once more with the word spelt wrong, with its score and row.

    Where the wrong spelling is a piece already, that one gets them. A word that the tokenizer takes apart has none: a
    wrong character alone may mean anything.
    """
    meant = {}
    for wrong, right in spellings:
        for text, score, row in pieces:
            if right in text:
                meant[text.replace(right, wrong)] = score, row
    known = [(text, *meant.pop(text, (score, row))) for text, score, row in pieces]
    return known + [(text, *found) for text, found in meant.items()]


def _fold_characters(text: str, normalizer: normalizers.Normalizer) -> str:
    """Each character by itself, so that the rules about marks in a row and at the end do not apply."""
    return "".join(normalizer.normalize_str(c) for c in text)


def _wanted(piece: Piece) -> bool:
    text, _, row = piece
    bare = text.replace(SPACE, "")
    if HAN.search(text):
        return not OTHER_SCRIPTS.search(text)
    if ASCII.fullmatch(text):
        return len(text) <= 3 or row < FREQUENT
    return len(bare) == 1 and (ord(bare) > 0x1F000 or unicodedata.category(bare)[0] in "PS")
