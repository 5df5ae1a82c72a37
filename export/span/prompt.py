"""The question that makes a span extractor score two texts, and the tokenizer that asks it.

The model card of nlp_structbert_siamese-uninlu_chinese-base puts text matching as the text 相似,不相似|A&B with the
schema {"文本匹配": null}, whose prompt is 文本匹配 and a colon (SiameseUiePipeline.get_prefix_infos). The answers lead
the text, so their tokens stand at the same places whatever A and B are.
"""

from collections.abc import Sequence
from pathlib import Path

from tokenizers import Encoding, Tokenizer
from tokenizers.processors import TemplateProcessing

from export.architecture import BERT
from export.encoding import Pair, load_tokenizer
from export.refusal import ExportRefused
from export.span.published import Spans
from export.tasks.similarity import LABELS
from structbert_lite.inference.prompt import Prompt
from structbert_lite.inference.tokenizer import Tokenizer as ServersTokenizer
from structbert_lite.manifest import PairTemplate

TEMPLATE = PairTemplate(text="相似,不相似|{a}&{b}", prompt="文本匹配: ")
ANSWERS = {"different": (3, 6), "similar": (0, 2)}  # characters of the text
SPANS: Spans = ((4, 6), (1, 2))  # the tokens of each of LABELS, [CLS] being token 0
LEADING = 8  # tokens up to the bar
LONGEST_TEXT = 384  # tokens, [CLS] and [SEP] included: SiameseUiePipeline.max_len, and the trainer's
ROOM = 8  # tokens that A and B have together at the least


def join_apart(path: Path) -> str:
    """Makes the tokenizer.json at `path` give prompt and text [CLS] and [SEP] each; returns how, for people.

    Raises ExportRefused when the answers' tokens are not where SPANS says, or one of them or of the prompt is unknown.
    """
    tokenizer = Tokenizer.from_file(str(path))
    begin, end = BERT.begin, BERT.end
    tokenizer.post_processor = TemplateProcessing(
        single=f"{begin} $A {end}",
        pair=f"{begin} $A {end} {begin}:1 $B:1 {end}:1",
        special_tokens=[(token, tokenizer.token_to_id(token)) for token in (begin, end)],
    )
    for pair in (("", ""), ("好", "坏"), ("似, |A", "&相似")):
        _check_places(tokenizer, tokenizer.encode(*TEMPLATE.fill(*pair)))
    tokenizer.save(str(path), pretty=False)
    return f"text and prompt with {begin} and {end} each"


def load_prompting(path: Path, max_tokens: int | None, most: int, pad_id: int) -> tuple["PromptingTokenizer", int]:
    """The tokenizer at `path` for pairs, and the longest input; `most`: what the position table has rows for.

    `max_tokens`: None for LONGEST_TEXT tokens and the prompt. Raises ExportRefused when two texts have no room in it.
    """
    fixed = len(Tokenizer.from_file(str(path)).encode(*TEMPLATE.fill("", "")))
    parts = Tokenizer.from_file(str(path)).encode("", TEMPLATE.prompt)
    chosen = max_tokens or min(most, LONGEST_TEXT + sum(parts.type_ids))
    if chosen < fixed + ROOM:
        raise ExportRefused(
            f"{chosen} tokens leave no room for two texts: the answers and the prompt take {fixed} of them"
        )
    return PromptingTokenizer(path, chosen, pad_id), chosen


class PromptingTokenizer:
    """Stands where a tokenizer of pairs would: puts each pair into TEMPLATE first, as the server does."""

    def __init__(self, path: Path, max_tokens: int, pad_id: int) -> None:
        self._tokenizer = load_tokenizer(path, max_tokens, pad_id)
        self._prompt = Prompt(TEMPLATE, ServersTokenizer(path, max_tokens))

    def encode_batch(self, pairs: Sequence[Pair]) -> list[Encoding]:
        """The encoding of each pair, padded to the longest."""
        encodings: list[Encoding] = self._tokenizer.encode_batch([self._prompt.fill(*pair)[0] for pair in pairs])
        return encodings


def _check_places(tokenizer: Tokenizer, encoding: Encoding) -> None:
    unknown = tokenizer.token_to_id(BERT.unknown)
    asked = [*encoding.ids[:LEADING], *(i for i, t in zip(encoding.ids, encoding.type_ids, strict=True) if t == 1)]
    found = tuple(
        (encoding.char_to_token(start, 0), encoding.char_to_token(end - 1, 0))
        for start, end in (ANSWERS[label] for label in LABELS)
    )
    if found != SPANS or unknown in asked:
        text, prompt = TEMPLATE.fill("", "")
        raise ExportRefused(f"the tokenizer does not read {text!r} and {prompt!r} as siamese-uninlu was trained to")
