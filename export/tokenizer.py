"""tokenizer.json for the exported model: the checkpoint's own, or one built from its vocab.txt.

ModelScope tokenizes StructBERT with transformers' BertTokenizer (lower-casing unless
tokenizer_config.json says otherwise), so that is the reference.
"""

import shutil
from collections.abc import Sequence
from pathlib import Path

from tokenizers import Tokenizer
from transformers import BertTokenizer, BertTokenizerFast

from export.json_file import read_json
from export.refusal import ExportRefused

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]")
OPTIONS = ("do_lower_case", "strip_accents", "tokenize_chinese_chars")
CLASSES = (
    None,
    "BertTokenizer",
    "BertTokenizerFast",
    "SbertTokenizer",
    "SbertTokenizerFast",
    "PreTrainedTokenizerFast",
)


def write_tokenizer(folder: Path, target: Path, rows: int, texts: Sequence[str]) -> str:
    """Writes `target` (tokenizer.json) for the checkpoint in `folder`; returns how, for people.

    A tokenizer.json is copied byte for byte: it may hold added tokens and a normalizer of its own.
    `rows` is the size of the embedding table; a built tokenizer is compared with BertTokenizer on `texts`.
    Raises ExportRefused when there is neither file, when ids do not fit the table, or on a difference.
    """
    if (folder / "tokenizer.json").is_file():
        shutil.copyfile(folder / "tokenizer.json", target)
        how = "tokenizer.json copied"
    elif (folder / "vocab.txt").is_file():
        _build(folder, target, rows, texts)
        how = "tokenizer.json built from vocab.txt"
    else:
        raise ExportRefused(f"{folder.name} has neither tokenizer.json nor vocab.txt")
    _check(target, folder / "vocab.txt", rows)
    return how


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


def pad_id(path: Path) -> int:
    """The id of [PAD] in the tokenizer.json at `path`."""
    return Tokenizer.from_file(str(path)).token_to_id("[PAD]")


def _build(folder: Path, target: Path, rows: int, texts: Sequence[str]) -> None:
    vocabulary = read_vocabulary(folder / "vocab.txt")
    if len(vocabulary) != rows:
        raise ExportRefused(
            f"vocab.txt has {len(vocabulary)} lines, the embedding table {rows} rows; "
            "blank lines count, so an editor may have removed some"
        )
    for token in SPECIAL:
        if token not in vocabulary:
            raise ExportRefused(f"vocab.txt has no {token}, so it is not a BERT vocabulary")
    config = read_json(folder / "tokenizer_config.json")
    if config.get("tokenizer_class") not in CLASSES:
        raise ExportRefused(
            f"tokenizer_config.json asks for {config['tokenizer_class']}, which is not BERT's tokenizer"
        )
    options = {"do_lower_case": True} | {name: config[name] for name in OPTIONS if name in config}
    fast = BertTokenizerFast(vocab_file=str(folder / "vocab.txt"), **options)
    fast.backend_tokenizer.save(str(target), pretty=False)
    _compare(BertTokenizer(vocab_file=str(folder / "vocab.txt"), **options), Tokenizer.from_file(str(target)), texts)


def _compare(reference: BertTokenizer, tokenizer: Tokenizer, texts: Sequence[str]) -> None:
    for text in texts:
        if reference(text)["input_ids"] != tokenizer.encode(text).ids:
            raise ExportRefused(f"the built tokenizer reads {text!r} otherwise than transformers' BertTokenizer")


def _check(target: Path, vocab: Path, rows: int) -> None:
    try:
        tokenizer = Tokenizer.from_file(str(target))
    except Exception as error:  # the library raises bare Exception
        raise ExportRefused(f"tokenizer.json cannot be read: {error}") from None
    ids = tokenizer.get_vocab()
    if absent := [token for token in SPECIAL if token not in ids]:
        raise ExportRefused(f"tokenizer.json has no {absent[0]}, so it is not BERT's")
    if max(ids.values()) >= rows:
        raise ExportRefused(f"tokenizer.json has the id {max(ids.values())}, the embedding table only {rows} rows")
    if vocab.is_file():
        lines = read_vocabulary(vocab)
        for token in SPECIAL:
            if token in lines and lines.index(token) != ids[token]:
                raise ExportRefused(f"tokenizer.json gives {token} the id {ids[token]}, vocab.txt {lines.index(token)}")
    encoding = tokenizer.encode("好")
    if encoding.ids[0] != ids["[CLS]"] or encoding.ids[-1] != ids["[SEP]"] or any(encoding.type_ids):
        raise ExportRefused("tokenizer.json does not put a text between [CLS] and [SEP]")
