"""The one way in which an export stops on purpose."""

from structbert_lite.errors import StructBertError


class ExportRefused(StructBertError):
    """Nothing was written; the message is one sentence that names the cause."""
