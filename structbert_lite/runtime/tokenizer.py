"""Text to token ids."""

from dataclasses import dataclass
from pathlib import Path

from tokenizers import Tokenizer as _Tokenizer

from structbert_lite.errors import ModelRefused


@dataclass(frozen=True, slots=True)
class Encoding:
    """Token ids of one input, special tokens included. `truncated`: the model reads only its beginning."""

    ids: list[int]
    type_ids: list[int]
    truncated: bool

    def __len__(self) -> int:
        return len(self.ids)


class Tokenizer:
    """The model's own tokenizer.json, truncating at `max_tokens`. Safe to use from several threads."""

    def __init__(self, path: Path, max_tokens: int) -> None:
        try:
            self._tokenizer = _Tokenizer.from_file(str(path))
        except Exception as error:  # the library raises bare Exception
            raise ModelRefused(f"{path} is not a tokenizer: {error}") from None
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(max_tokens)
        self._max_tokens = max_tokens

    def encode(self, texts: list[str]) -> list[Encoding]:
        """The encoding of each text. Only as much of a long text is read as the model can take."""
        window = 8 * self._max_tokens
        short = [text for text in texts if len(text) <= window]
        encoded = iter(self._tokenizer.encode_batch(short)) if short else iter(())
        return [_encoding(next(encoded)) if len(text) <= window else self._encode_long(text, window) for text in texts]

    def _encode_long(self, text: str, window: int) -> Encoding:
        """Encodes a growing beginning until what lies behind it cannot change the result."""
        while window < len(text):
            encoding = self._tokenizer.encode(text[:window])
            if encoding.overflowing:
                # Only the last word of the window can go on behind it; tokens of earlier words are final.
                last_seen = [word for word in encoding.overflowing[-1].word_ids if word is not None][-1]
                if encoding.word_ids[-2] != last_seen:
                    return _encoding(encoding)
            window *= 4
        return _encoding(self._tokenizer.encode(text))


def _encoding(encoding: object) -> Encoding:
    return Encoding(encoding.ids, encoding.type_ids, bool(encoding.overflowing))
