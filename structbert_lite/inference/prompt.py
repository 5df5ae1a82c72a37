"""The two texts of a pair in the words that a model is asked in."""

from structbert_lite.errors import InvalidModel
from structbert_lite.inference.tokenizer import Tokenizer
from structbert_lite.manifest import PairTemplate


class Prompt:
    """Fills the model's template with two texts, and shortens them so that the rest of it is never cut."""

    def __init__(self, template: PairTemplate, tokenizer: Tokenizer) -> None:
        """Raises InvalidModel where the template leaves no tokens for two texts."""
        self._template = template
        self._tokenizer = tokenizer
        (empty,) = tokenizer.encode([template.fill("", "")])
        self.room = tokenizer.max_tokens - len(empty)  # tokens for both texts
        if self.room < 2:
            raise InvalidModel(f"the pair_template leaves no room for two texts in {tokenizer.max_tokens} tokens")

    def fill(self, a: str, b: str) -> tuple[tuple[str, str], bool]:
        """(text and prompt for the tokenizer, whether the end of `a` or of `b` is left out); the longer loses first."""
        (a, b), truncated = self._tokenizer.shorten((a, b), self.room)
        return self._template.fill(a, b), truncated
