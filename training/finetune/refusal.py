"""The one way in which a fine-tuning stops on purpose."""

from structbert_lite.errors import StructBertError


class FinetuneRefused(StructBertError):
    """The message says what is wrong with the data or the options, and what helps."""
