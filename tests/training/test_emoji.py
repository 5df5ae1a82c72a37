import json
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="needs requirements-train.txt")

from tokenizers import Tokenizer, models, normalizers, pre_tokenizers  # noqa: E402

from training.emoji import WORDS, add_emoji, start_embeddings  # noqa: E402


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    """A tokenizer that knows every character of the emoji's words, and has unused slots."""
    characters = sorted({character for word in WORDS.values() for character in word})
    names = ["[PAD]", "[UNK]", *(f"[unused{n}]" for n in range(90)), *characters, "❤"]
    tokenizer = Tokenizer(models.WordPiece({name: i for i, name in enumerate(names)}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=False)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.save(str(tmp_path / "plain.json"))
    return tmp_path / "plain.json"


def test_every_emoji_gets_a_token_that_starts_as_its_word(plain: Path, tmp_path: Path) -> None:
    starts = dict(add_emoji(plain, tmp_path / "new.json"))
    before, after = Tokenizer.from_file(str(plain)), Tokenizer.from_file(str(tmp_path / "new.json"))
    table = torch.randn(before.get_vocab_size(), 4)
    original = table.clone()
    start_embeddings(table, list(starts.items()))
    for emoji, word in WORDS.items():
        (index,) = after.encode(emoji).ids
        assert torch.allclose(table[index], original[before.encode(word).ids].mean(0))
    assert after.encode("😡").ids * 2 == after.encode("😡😡").ids
    assert after.encode("👍🏽").ids == after.encode("👍").ids


def test_too_few_unused_slots_are_refused(plain: Path, tmp_path: Path) -> None:
    spec = json.loads(plain.read_text(encoding="utf-8"))
    vocabulary = spec["model"]["vocab"]
    spec["model"]["vocab"] = {name: i for name, i in vocabulary.items() if not name.startswith("[unused")}
    plain.write_text(json.dumps(spec, ensure_ascii=False), encoding="utf-8")
    with pytest.raises(ValueError, match="unused slots"):
        add_emoji(plain, tmp_path / "new.json")
