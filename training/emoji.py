"""Emoji for a BERT vocabulary that has almost none: each takes an [unusedN] slot and starts as a word.

Without this an emoji-only text is a row of [UNK]. The embedding of each new token starts as the mean
of the pieces of a Chinese word for it, so that it means something before the first training step.
"""

import json
from pathlib import Path

import torch
from tokenizers import Tokenizer

# Skin tones, the joiner and the variation selector carry no sentiment and would each be an [UNK].
MODIFIERS = "[\\u200d\\ufe0e\\ufe0f\U0001f3fb-\U0001f3ff]"

WORDS = {
    "😀": "开心", "😃": "开心", "😄": "开心", "😁": "嘻嘻", "😆": "哈哈", "😂": "笑哭", "🤣": "笑哭",
    "😊": "微笑", "😍": "喜欢", "🥰": "喜爱", "😘": "亲亲", "😋": "美味", "😎": "很酷", "🤗": "拥抱",
    "🤩": "惊喜", "🥳": "庆祝", "😉": "眨眼", "😌": "满足", "🙂": "微笑", "👍": "很好", "👏": "鼓掌",
    "💪": "加油", "🙏": "感谢", "👌": "很好", "🎉": "庆祝", "🌹": "鲜花", "💐": "鲜花", "❤": "爱心",
    "💕": "喜爱", "💖": "喜爱", "💓": "喜爱", "💯": "满分", "⭐": "好评", "🌟": "好评", "✨": "漂亮",
    "🔥": "火爆", "👎": "差评", "😡": "愤怒", "😠": "生气", "🤬": "怒骂", "👿": "愤怒", "😤": "气愤",
    "😭": "大哭", "😢": "伤心", "😞": "失望", "😔": "难过", "😟": "担心", "🙁": "难过", "☹": "难过",
    "😣": "痛苦", "😖": "痛苦", "😫": "疲惫", "😩": "痛苦", "😒": "无语", "🙄": "无语", "😑": "无语",
    "😓": "无奈", "😱": "恐怖", "😨": "害怕", "🤮": "恶心", "🤢": "恶心", "💩": "垃圾", "💔": "心碎",
    "😷": "生病", "🤦": "无语", "💣": "垃圾", "😳": "尴尬", "😅": "尴尬", "🤔": "疑问", "🙃": "无语",
}  # fmt: skip


def add_emoji(source: Path, target: Path) -> list[tuple[int, list[int]]]:
    """Writes `source` (a tokenizer.json) to `target` with the emoji in it and lower-casing on.

    The vocabulary is lower-cased, so a tokenizer that keeps capitals would read every Latin word
    with one as [UNK]. Returns (id of the emoji, ids of its word's pieces) for each of them.
    """
    words = Tokenizer.from_file(str(source))
    spec = json.loads(source.read_text(encoding="utf-8"))
    vocabulary: dict[str, int] = spec["model"]["vocab"]
    new = [emoji for emoji in WORDS if emoji not in vocabulary]
    free = sorted((i, token) for token, i in vocabulary.items() if token.startswith("[unused"))
    if len(free) < len(new):
        raise ValueError(f"{source} has {len(free)} unused slots, {len(new)} are needed")
    for emoji, (index, token) in zip(new, free, strict=False):
        del vocabulary[token]
        vocabulary[emoji] = index
    starts = [(vocabulary[emoji], words.encode(word, add_special_tokens=False).ids) for emoji, word in WORDS.items()]
    flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": False}
    spec["added_tokens"] += [{"id": vocabulary[emoji], "content": emoji, **flags} for emoji in WORDS]
    spec["added_tokens"].sort(key=lambda token: token["id"])
    spec["normalizer"]["lowercase"] = True
    drop = {"type": "Replace", "pattern": {"Regex": MODIFIERS}, "content": ""}
    spec["normalizer"] = {"type": "Sequence", "normalizers": [drop, spec["normalizer"]]}
    target.write_text(json.dumps(spec, ensure_ascii=False), encoding="utf-8")
    return starts


def start_embeddings(table: torch.Tensor, starts: list[tuple[int, list[int]]]) -> None:
    """Sets row i of `table` [vocabulary, hidden] to the mean of its word's rows, in place."""
    with torch.no_grad():
        for index, pieces in starts:
            table[index] = table[pieces].mean(0)
