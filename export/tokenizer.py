"""tokenizer.json for the exported model: the checkpoint's own, or one built from its vocab.txt.

ModelScope tokenizes StructBERT with transformers' BertTokenizer (lower-casing unless
tokenizer_config.json says otherwise), so that is the reference. XLM-RoBERTa's is taken from tokenizer.json alone.
"""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

from tokenizers import Tokenizer
from transformers import BertTokenizer, BertTokenizerFast

from export.architecture import BERT, Architecture
from export.json_file import read_json
from export.refusal import ExportRefused

# Options of tokenizer_config.json: what each is called in tokenizer.json's normalizer, and its default.
NORMALIZER = {
    "do_lower_case": ("lowercase", True),
    "strip_accents": ("strip_accents", None),
    "tokenize_chinese_chars": ("handle_chinese_chars", True),
}
BERT_CLASSES = (None, "BertTokenizer", "BertTokenizerFast")
CLASSES = (*BERT_CLASSES, "SbertTokenizer", "SbertTokenizerFast", "PreTrainedTokenizerFast")


def write_tokenizer(
    folder: Path,
    target: Path,
    rows: int,
    texts: Sequence[str],
    architecture: Architecture = BERT,
    reads_pairs: bool = False,
) -> str:
    """Writes `target` (tokenizer.json) for the checkpoint in `folder`; returns how, for people.

    A tokenizer.json is copied byte for byte: it may hold added tokens and a normalizer of its own. Where transformers
    would change BERT's normalizer in it by tokenizer_config.json, so does this.
    `rows` is the size of the embedding table; a built tokenizer is compared with BertTokenizer on `texts`.
    Raises ExportRefused when there is neither file, when ids do not fit the table, on a difference, or when a text,
    or with `reads_pairs` a pair, does not come out as the architecture reads it.
    """
    if (folder / "tokenizer.json").is_file():
        how = _copy(folder, target, architecture)
    elif architecture != BERT:
        raise ExportRefused(f"{folder.name} has no tokenizer.json, which {architecture.name} needs")
    elif (folder / "vocab.txt").is_file():
        _build(folder, target, rows, texts)
        how = "tokenizer.json built from vocab.txt"
    else:
        raise ExportRefused(f"{folder.name} has neither tokenizer.json nor vocab.txt")
    tokenizer = _check(target, folder / "vocab.txt", rows, architecture)
    if reads_pairs:
        _check_pair(tokenizer, architecture)
    return how + _describe_case(tokenizer)


def read_vocabulary(path: Path) -> list[str]:
    """The lines of vocab.txt; a token's id is its line's index.

    Blank lines count, only a line feed ends a line (U+2028 is itself a token), as in BertTokenizer.
    Raises ExportRefused when the file is not UTF-8.
    """
    try:
        with path.open(encoding="utf-8") as file:
            lines = [line.rstrip("\n") for line in file]
    except UnicodeDecodeError:
        raise ExportRefused(f"{path.name} is not UTF-8 text") from None
    while lines and not lines[-1]:
        lines.pop()
    return lines


def pad_id(path: Path, architecture: Architecture = BERT) -> int:
    """The id of the padding token in the tokenizer.json at `path`."""
    number: int = Tokenizer.from_file(str(path)).token_to_id(architecture.pad)
    return number


def _copy(folder: Path, target: Path, architecture: Architecture) -> str:
    """As BertTokenizerFast.__init__ of transformers: options of its class, or their defaults, overrule the file's."""
    shutil.copyfile(folder / "tokenizer.json", target)
    _open(target)
    spec, config = read_json(target), read_json(folder / "tokenizer_config.json")
    normalizer = spec.get("normalizer")
    if (
        architecture != BERT
        or config.get("tokenizer_class") not in BERT_CLASSES
        or not isinstance(normalizer, dict)
        or normalizer.get("type") != "BertNormalizer"
    ):
        return "tokenizer.json copied"
    asked = {key: config.get(name, default) for name, (key, default) in NORMALIZER.items()}
    changed = {key: value for key, value in asked.items() if normalizer.get(key, value) != value}
    if not changed:
        return "tokenizer.json copied"
    spec["normalizer"] = {**normalizer, **asked}
    target.write_text(json.dumps(spec, ensure_ascii=False, separators=(",", ":")), encoding="utf-8")
    said = ", ".join(f"{key} {json.dumps(value)}" for key, value in changed.items())
    return f"tokenizer.json with {said}, as transformers reads it beside tokenizer_config.json"


def _describe_case(tokenizer: Tokenizer) -> str:
    """What is worth a word: a vocabulary that has capitals or has none, and a normalizer made for the other kind."""
    pieces = [piece for piece in tokenizer.get_vocab() if piece.removeprefix("##").isascii() and "[" not in piece]
    capitals = any(character.isupper() for piece in pieces for character in piece)
    letters = any(character.islower() for piece in pieces for character in piece)
    lowers = tokenizer.normalizer is not None and tokenizer.normalizer.normalize_str("A") != "A"
    if letters and not capitals and not lowers:
        return ", which leaves capitals as they are though the vocabulary has none: they are unknown to the model"
    if capitals and lowers and tokenizer.normalizer.normalize_str("A") == "a":
        return ", which lower-cases every text though the vocabulary has capitals: those are never read"
    return ""


def _build(folder: Path, target: Path, rows: int, texts: Sequence[str]) -> None:
    vocabulary = read_vocabulary(folder / "vocab.txt")
    if len(vocabulary) != rows:
        raise ExportRefused(
            f"vocab.txt has {len(vocabulary)} lines, the embedding table {rows} rows; "
            "blank lines count, so an editor may have removed some"
        )
    for token in BERT.special:
        if token not in vocabulary:
            raise ExportRefused(f"vocab.txt has no {token}, so it is not a BERT vocabulary")
    config = read_json(folder / "tokenizer_config.json")
    if config.get("tokenizer_class") not in CLASSES:
        raise ExportRefused(
            f"tokenizer_config.json asks for {config['tokenizer_class']}, which is not BERT's tokenizer"
        )
    options = {"do_lower_case": True} | {name: config[name] for name in NORMALIZER if name in config}
    fast = BertTokenizerFast(vocab_file=str(folder / "vocab.txt"), **options)
    fast.backend_tokenizer.save(str(target), pretty=False)
    _compare(BertTokenizer(vocab_file=str(folder / "vocab.txt"), **options), Tokenizer.from_file(str(target)), texts)


def _compare(reference: BertTokenizer, tokenizer: Tokenizer, texts: Sequence[str]) -> None:
    for text in texts:
        if reference(text)["input_ids"] != tokenizer.encode(text).ids:
            raise ExportRefused(f"the built tokenizer reads {text!r} otherwise than transformers' BertTokenizer")


def _open(target: Path) -> Tokenizer:
    try:
        return Tokenizer.from_file(str(target))
    except Exception as error:  # the library raises bare Exception
        raise ExportRefused(f"tokenizer.json cannot be read: {error}") from None


def _check(target: Path, vocab: Path, rows: int, architecture: Architecture) -> Tokenizer:
    tokenizer = _open(target)
    tokenizer.no_padding()  # a fixed length, or a limit, of whoever saved it
    tokenizer.no_truncation()
    ids = tokenizer.get_vocab()
    if absent := [token for token in architecture.special if token not in ids]:
        raise ExportRefused(f"tokenizer.json has no {absent[0]}, so it is not {architecture.name}'s")
    if max(ids.values()) >= rows:
        raise ExportRefused(f"tokenizer.json has the id {max(ids.values())}, the embedding table only {rows} rows")
    if vocab.is_file():
        lines = read_vocabulary(vocab)
        for token in architecture.special:
            if token in lines and lines.index(token) != ids[token]:
                raise ExportRefused(f"tokenizer.json gives {token} the id {ids[token]}, vocab.txt {lines.index(token)}")
    encoding = tokenizer.encode("好")
    if (encoding.tokens[0], encoding.tokens[-1]) != (architecture.begin, architecture.end) or any(encoding.type_ids):
        raise ExportRefused(f"tokenizer.json does not put a text between {architecture.begin} and {architecture.end}")
    return tokenizer


def _check_pair(tokenizer: Tokenizer, architecture: Architecture) -> None:
    """[CLS] A [SEP] B [SEP] with token types 0 and 1, or <s> A </s></s> B </s>."""
    first, second, pair = tokenizer.encode("好"), tokenizer.encode("坏"), tokenizer.encode("好", "坏")
    bert = architecture == BERT
    ends = [second.ids[-1]] * (0 if bert else 1)
    ids = [*first.ids, *ends, *second.ids[1:]]
    types = [*[0] * len(first), *[1] * (len(second) - 1)] if bert else None
    if pair.ids != ids or (types is not None and pair.type_ids != types):
        raise ExportRefused(f"tokenizer.json does not join two texts as {architecture.name} reads them")
