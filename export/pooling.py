"""How an encoder's token vectors become one: stated by the checkpoint or by the caller, never guessed."""

from pathlib import Path

from export.refusal import ExportRefused
from export.sentence_model import SentenceModel
from export.siamese import read_section
from export.tasks import Head

POOLINGS = ("mean", "cls")


def choose_pooling(folder: Path, head: Head, given: str | None, sentence: SentenceModel) -> str | None:
    """The pooling, mean or cls; None for a classifier, which has its own. `sentence`: what the folder says of it.

    Raises ExportRefused when `given` contradicts the checkpoint, or neither of them says it.
    """
    if head is Head.CLASSIFIER:
        if given is not None:
            raise ExportRefused("--pooling is for encoders; a classifier reads the first token")
        return None
    stated = _read_pooling(folder) or sentence.pooling
    if stated is not None and given not in (None, stated):
        raise ExportRefused(f"--pooling says {given}, the checkpoint says {stated}")
    if stated or given:
        return stated or given
    if head is Head.MATCHER:
        return "mean"
    raise ExportRefused(
        "the checkpoint does not say how its token vectors become one; look at its card and pass --pooling mean or cls"
    )


def _read_pooling(folder: Path) -> str | None:
    stated = read_section(folder).get("pooling")
    if stated not in (None, *POOLINGS):
        raise ExportRefused(f"config.json says siamese.pooling {stated!r}, only mean or cls can be exported")
    return stated
