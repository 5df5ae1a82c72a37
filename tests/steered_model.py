"""A real model that a test can slow down, hold or break: loaded in the place of structbert_lite's own."""

from collections.abc import Callable

from structbert_lite.inference.model import Model
from structbert_lite.inference.tokenizer import Encoding


class SteeredModel(Model):
    """Calls `before` with the encodings of each inference ahead of it, in the thread that runs it."""

    before: Callable[[list[Encoding]], object] = staticmethod(lambda encodings: None)

    def infer(self, encodings: list[Encoding], *listeners: object) -> object:
        self.before(encodings)
        return super().infer(encodings, *listeners)
