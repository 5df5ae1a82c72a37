"""The page of zero-shot classification: a text and the visitor's own labels."""

from collections.abc import Mapping

from structbert_lite.results import ZeroShot
from structbert_lite.web.middleware import renamed
from structbert_lite.web.pages import Ask, Panel
from structbert_lite.web.panels.split import split_labels

FIELDS = ("text", "labels", "multi_label", "hypothesis_template")
LABEL_ALONE = "{}"


def _answer(fields: Mapping[str, str], ask: Ask) -> ZeroShot:
    result: ZeroShot
    with renamed({"texts[0]": "text"}):
        (result,) = ask(
            [fields["text"]],
            labels=split_labels(fields["labels"]),
            multi_label=bool(fields["multi_label"]),
            hypothesis_template=fields["hypothesis_template"].strip() or LABEL_ALONE,
        )
    return result


PANEL = Panel("zero-shot", "classify", "/ui/classify", "api.classify", FIELDS, _answer)
