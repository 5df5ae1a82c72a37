"""Text to token ids, and where a text is cut that is too long for a model."""

import threading
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from weakref import WeakValueDictionary

from tokenizers import Encoding as _Encoding
from tokenizers import Regex
from tokenizers import Tokenizer as _Tokenizer
from tokenizers.normalizers import Replace

from structbert_lite.errors import InvalidModel
from structbert_lite.inference.spans import Word, cut, longest_first

# Reading takes a hundred bytes of memory and a microsecond a character, and knows no deadline. So no more than this is
# read of a text with hardly a token in it, blank or one endless word, and of long texts one at a time.
MOST_CHARACTERS = 1 << 18
LONG = 1 << 16
LONGEST_WORD = 16  # tokens; what is longer is no word that a reader would miss when it is cut
# By the library's own table, which is the same under every Python.
_COMBINING = Replace(Regex(r"[\p{Mn}\p{Me}]"), "")


@dataclass(frozen=True, slots=True)
class Encoding:
    """Token ids of one input, special tokens included. `truncated`: the model does not read all of it.

    `all_layers`: it passes by the model's early exits. `prefix`: token ids of a text that is read before, which it
    attends to; `reads_prefix`: of what came together it is the first with that text, so that reading it is its cost.
    """

    ids: list[int]
    type_ids: list[int]
    truncated: bool
    all_layers: bool = False
    prefix: tuple[int, ...] = ()
    reads_prefix: bool = False

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def cost(self) -> int:
        """Tokens that the model has to read for it, as queues count them."""
        return len(self.ids) + (len(self.prefix) if self.reads_prefix else 0)

    def fits_with(self, other: "Encoding") -> bool:
        """Whether one run can take both."""
        return self.all_layers == other.all_layers and (self.prefix is other.prefix or self.prefix == other.prefix)


@dataclass(frozen=True, slots=True)
class Token:
    """A token, and the characters of the text that it stands for; a special one stands for none."""

    id: int
    text: str
    special: bool
    start: int | None
    end: int | None


class _Vocabulary:
    """A tokenizer as its file has it. Equal files have one, whose parts their Tokenizers share: 24 MB in our models."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._tokenizer = _Tokenizer.from_buffer(data)

    def copy(self) -> _Tokenizer:
        """A tokenizer with truncation and padding of its own, both off, over the same parts."""
        made = _Tokenizer(self._tokenizer.model)
        added = self._tokenizer.get_added_tokens_decoder()
        for token in added.values():
            (made.add_special_tokens if token.special else made.add_tokens)([token])
        if {i: str(token) for i, token in made.get_added_tokens_decoder().items()} != {
            i: str(token) for i, token in added.items()
        }:
            made = _Tokenizer.from_buffer(self._data)  # its ids are not in the order of their addition
            made.no_padding()
            return made
        for part in ("normalizer", "pre_tokenizer", "post_processor", "decoder"):
            if (value := getattr(self._tokenizer, part)) is not None:
                setattr(made, part, value)
        return made


_READ: WeakValueDictionary[bytes, _Vocabulary] = WeakValueDictionary()
_READING = threading.Lock()


def _read(path: Path) -> _Vocabulary:
    with _READING:
        try:
            data = path.read_bytes()
            digest = sha256(data).digest()
            if (known := _READ.get(digest)) is None:
                known = _READ[digest] = _Vocabulary(data)
        except Exception as error:  # the library raises bare Exception
            raise InvalidModel(f"{path} is not a tokenizer: {error}") from None
        return known


class Tokenizer:
    """The model's own tokenizer.json, truncating at `max_tokens`. Safe to use from several threads.

    `room_for_two`: how many tokens the two texts of a pair have together.
    """

    def __init__(self, path: Path, max_tokens: int) -> None:
        """Raises InvalidModel when the file is no tokenizer, or leaves no room for a text."""
        self._shared = _read(path)
        self._tokenizer = self._shared.copy()
        special = self._tokenizer.num_special_tokens_to_add(False)
        if max_tokens <= special:  # the library would then truncate nothing at all
            raise InvalidModel(f"{path} puts {special} tokens around a text, so max_tokens {max_tokens} leaves no room")
        self._tokenizer.enable_truncation(max_tokens)
        self.max_tokens = max_tokens
        self._long_text = threading.RLock()
        self.room_for_two: int = max_tokens - self._tokenizer.num_special_tokens_to_add(True)

    def encode(self, inputs: Sequence[str | tuple[str, str]]) -> list[Encoding]:
        """The encoding of each text or pair of texts. Only as much of a long text is read as the model can take.

        Of a pair that is too long, the longer part loses its end first.
        """
        short = [given for given in inputs if self._is_short(given)]
        encoded = iter(self._tokenizer.encode_batch(short)) if short else iter(())
        return [_encoding(next(encoded)) if self._is_short(given) else self._take_long(given) for given in inputs]

    def fold(self, text: str) -> str:
        """`text` as its tokens see it: what the tokenizer's normalizer makes of it."""
        normalizer = self._tokenizer.normalizer
        return normalizer.normalize_str(text) if normalizer else text

    def deletes(self, text: str) -> bool:
        """Whether nothing of `text` is left for the model: all of it is deleted, or combines with what is not there.

        Such a text would get the output of an empty one.
        """
        with self._turn(len(text)):
            (encoding,) = self._encode_bare([_COMBINING.normalize_str(text[:MOST_CHARACTERS])])
            return not encoding.ids

    @cached_property
    def _whole(self) -> _Tokenizer:
        """The same without truncation. Few ask for that."""
        return self._shared.copy()

    def tokens(self, text: str, special: bool = True) -> list[Token]:
        """All tokens of a text, also those that the model would not read; with `special` also what is put around it.

        No more is read than MOST_CHARACTERS.
        """
        with self._turn(len(text)):
            found = self._whole.encode(text[:MOST_CHARACTERS], add_special_tokens=special)
        return [
            Token(number, name, True, None, None) if mark else Token(number, text[start:end], False, start, end)
            for number, name, mark, (start, end) in zip(
                found.ids, found.tokens, found.special_tokens_mask, found.offsets, strict=True
            )
        ]

    def split(self, text: str, size: int, overlap: int, limit: int) -> tuple[list[str], bool]:
        """Pieces of `text` from its beginning on, and whether something lies behind the last of them.

        A piece has at most `size` tokens and ends between two words (only a very long word is cut); neighbours share at
        most `overlap` tokens; there are at most `limit` pieces. A text that fits is its only piece.
        """
        with self._turn(len(text)):
            return self._split(text, size, overlap, limit)

    def _split(self, text: str, size: int, overlap: int, limit: int) -> tuple[list[str], bool]:
        read = self._beginning(text, size * limit)
        words = self._words(read, longest=min(size, LONGEST_WORD))
        aim = size
        while True:
            spans, left = cut(words, aim, overlap, limit)
            left = left or len(read) < len(text)
            if len(spans) <= 1 and not left:
                return [text], False
            if not spans:
                return [read], True
            pieces = [text[start:end] for start, end in spans]
            # By itself a piece may be other tokens than in the whole, and more, where a word had to be cut.
            counts = [sum(map(len, (piece, *piece.overflowing))) for piece in self._encode_bare(pieces)]
            excess = max(counts) - size
            if excess <= 0 or aim == 1:
                return pieces, left
            aim = max(1, aim - excess)

    def shorten(self, pair: tuple[str, str], room: int) -> tuple[tuple[str, str], bool]:
        """Beginnings of two texts with at most `room` tokens together, and whether one of them is not its whole text.

        The longer text loses its end first, between two words (only a very long word is cut).
        """
        with self._turn(sum(map(len, pair))):
            return self._shorten(pair, room)

    def _shorten(self, pair: tuple[str, str], room: int) -> tuple[tuple[str, str], bool]:
        read = [self._beginning(text, room) for text in pair]
        counts = [sum(map(len, self._chunks(text))) for text in read]
        kept = longest_first(counts, room)
        a, b = (
            text if most == count else self.split(text, most, 0, 1)[0][0]
            for text, count, most in zip(read, counts, kept, strict=True)
        )
        return (a, b), kept != counts or read != list(pair)

    def token_spans(self, text: str) -> list[tuple[int, int]]:
        """Where in `text` each of its tokens stands, special ones left out: characters from start to end, in order."""
        with self._turn(len(text)):
            return [offsets for chunk in self._chunks(text) for offsets in chunk.offsets]

    def room_beside(self, text: str) -> int:
        """How many tokens the other part of a pair may have beside `text` without truncation; 1 at the least."""
        return max(1, self.room_for_two - sum(map(len, self._chunks(text))))

    def _is_short(self, given: str | tuple[str, str]) -> bool:
        # The library also makes every combination of what two overlong parts lost, so a pair has to be shorter.
        return len(given) <= 8 * self.max_tokens if isinstance(given, str) else sum(map(len, given)) <= self.max_tokens

    def _turn(self, characters: int) -> AbstractContextManager[object]:
        return self._long_text if characters > LONG else nullcontext()

    def _take_long(self, given: str | tuple[str, str]) -> Encoding:
        with self._turn(len(given) if isinstance(given, str) else sum(map(len, given))):
            return self._encode_long(given)

    def _encode_long(self, given: str | tuple[str, str]) -> Encoding:
        if isinstance(given, str):
            read = self._beginning(given, self.max_tokens)
            encoding = self._tokenizer.encode(read)
            return Encoding(encoding.ids, encoding.type_ids, bool(encoding.overflowing) or len(read) < len(given))
        beginnings = [self._beginning(part, self.max_tokens) for part in given]
        parts = self._encode_bare(beginnings)
        counts = [sum(map(len, (part, *part.overflowing))) for part in parts]
        if self.room_for_two % 2 and min(counts) > self.room_for_two // 2 and beginnings != list(given):
            # The odd token goes to the longer of the whole texts, which their beginnings do not tell.
            counts = [sum(map(len, self._chunks(part[:MOST_CHARACTERS]))) for part in given]
        kept = longest_first(counts, self.room_for_two)
        for part, count in zip(parts, kept, strict=True):
            part.truncate(count)
        joined = self._tokenizer.post_process(*parts)
        return Encoding(joined.ids, joined.type_ids, kept != counts or beginnings != list(given))

    def _beginning(self, text: str, tokens: int) -> str:
        """All of `text`, or a beginning with more than `tokens` tokens, so many of which are those of the whole.

        Or with fewer, where patience ends: its last word is then perhaps not whole.
        """
        most = max(MOST_CHARACTERS, 16 * tokens)
        window = (8 if tokens <= self.max_tokens else 2) * tokens  # where there are many, without much to spare
        while window < min(len(text), most):
            words = [word for chunk in self._chunks(text[:window]) for word in chunk.word_ids]
            # Only the last word of the window can go on behind it; tokens of earlier words are final.
            if len(words) > tokens and words[tokens - 1] != words[-1]:
                return text[:window]
            window *= 4
        return text[:most]

    def _words(self, text: str, longest: int) -> list[Word]:
        """The text's words; one of more than `longest` tokens is given token by token.

        To a tokenizer that splits at spaces only, such as XLM-RoBERTa's, a Chinese paragraph is one word.
        """
        tokens = [
            (number, Word(start, end, 1))
            for chunk in self._chunks(text)
            for number, (start, end) in zip(chunk.word_ids, chunk.offsets, strict=True)
        ]
        words: list[Word] = []
        for _, group in groupby(tokens, key=itemgetter(0)):
            parts = [part for _, part in group]
            words += parts if len(parts) > longest else [Word(parts[0].start, parts[-1].end, len(parts))]
        return words

    def _chunks(self, text: str) -> list[_Encoding]:
        """All of the text's tokens, without special ones: what the library truncates it hands over beside the rest."""
        (encoding,) = self._encode_bare([text])
        return [encoding, *encoding.overflowing]

    def _encode_bare(self, texts: list[str]) -> list[_Encoding]:
        encodings: list[_Encoding] = self._tokenizer.encode_batch(texts, add_special_tokens=False)
        return encodings


def _encoding(encoding: _Encoding) -> Encoding:
    return Encoding(encoding.ids, encoding.type_ids, bool(encoding.overflowing))
