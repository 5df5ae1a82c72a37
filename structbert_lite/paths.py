"""Which bodies a path takes: whose client sends them, what tells them apart, and the task that answers.

One table. The routes (web/compat/dialect.py), the shapes of errors (web/compat/errors.py) and the server's queues
(server/edge.py) follow it; docs/api.md has the same rows for people, and a test holds the two together.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, NamedTuple


class Dialect(StrEnum):
    """Whose requests, answers and errors a request is about; TEI is Text Embeddings Inference and Hugging Face.

    Jina, Xinference, Infinity and vLLM have Cohere's rerank with `detail` in their errors.
    """

    OURS = "ours"
    OPENAI = "openai"
    COHERE = "cohere"
    JINA = "jina"
    TEI = "tei"


class BodyForm(NamedTuple):
    """A body that POST `path` takes. `fields[0]` tells it from others at the path; `a.b` is the field b within a."""

    path: str
    fields: tuple[str, ...]
    dialect: Dialect
    task: str

    @property
    def names(self) -> list[str]:
        """The fields without what is within them."""
        return [field.partition(".")[0] for field in self.fields]


OURS, OPENAI, COHERE, JINA, TEI = Dialect
# TEI serves one model at an address. These are such addresses, each with the routes that TEI has for such a model.
TEI_TASKS = {
    "embedding": (
        ("", ("inputs",)),
        ("/embed", ("inputs",)),
        ("/embeddings", ("input",)),
        ("/v1/embeddings", ("input",)),
    ),
    "rerank": (("", ("texts", "query")), ("/rerank", ("texts", "query"))),
    "sentiment": (("", ("inputs",)), ("/predict", ("inputs",))),
    "similarity": (("", ("inputs.source_sentence",)), ("/similarity", ("inputs.source_sentence",))),
    "zero-shot": (("", ("parameters.candidate_labels", "inputs")),),
}
# Of one path, the first form that fits a body is meant; ours is meant where no other fits.
FORMS = (
    BodyForm("/predict", ("text",), OURS, "sentiment"),
    BodyForm("/predict", ("inputs",), TEI, "sentiment"),
    BodyForm("/predict_batch", ("texts",), OURS, "sentiment"),
    BodyForm("/explain", ("text",), OURS, "sentiment"),
    BodyForm("/aspects", ("text",), OURS, "sentiment"),
    BodyForm("/aspects", ("texts",), OURS, "sentiment"),
    BodyForm("/similarity", ("text_a", "text_b"), OURS, "similarity"),
    BodyForm("/similarity", ("pairs",), OURS, "similarity"),
    BodyForm("/similarity", ("inputs",), TEI, "similarity"),
    BodyForm("/embed", ("texts",), OURS, "embedding"),
    BodyForm("/embed", ("inputs",), TEI, "embedding"),
    BodyForm("/classify", ("text", "labels"), OURS, "zero-shot"),
    BodyForm("/classify", ("texts", "labels"), OURS, "zero-shot"),
    BodyForm("/classify", ("inputs", "parameters"), TEI, "zero-shot"),
    BodyForm("/rerank", ("documents", "query"), OURS, "rerank"),
    BodyForm("/rerank", ("texts", "query"), TEI, "rerank"),
    BodyForm("/rerank", ("model", "documents", "query"), JINA, "rerank"),
    BodyForm("/v1/embeddings", ("input",), OPENAI, "embedding"),
    BodyForm("/embeddings", ("input",), OPENAI, "embedding"),
    BodyForm("/v1/rerank", ("documents", "query"), JINA, "rerank"),
    BodyForm("/v2/rerank", ("documents", "query"), COHERE, "rerank"),
    BodyForm("/v1/embed", ("texts",), COHERE, "embedding"),
    BodyForm("/v2/embed", ("texts",), COHERE, "embedding"),
    BodyForm("/v2/embed", ("inputs",), COHERE, "embedding"),
    BodyForm("/elasticsearch/rerank", ("documents", "query"), TEI, "rerank"),
    BodyForm("/tokenize", ("inputs",), TEI, "embedding"),
    BodyForm("/tei", ("inputs.source_sentence",), TEI, "similarity"),
    BodyForm("/tei", ("parameters.candidate_labels", "inputs"), TEI, "zero-shot"),
    BodyForm("/tei", ("parameters", "inputs"), TEI, "sentiment"),
    BodyForm("/tei", ("texts", "query"), TEI, "rerank"),
    BodyForm("/tei", ("inputs",), TEI, "embedding"),
    *(
        BodyForm(f"/tei/{task}{path}", fields, TEI, task)
        for task, forms in TEI_TASKS.items()
        for path, fields in (*forms, ("/tokenize", ("inputs",)))
    ),
)
# What is below these is one service's whatever its body, also where there is no such route.
_PREFIXES = {"/v2": COHERE, "/v1": OPENAI, "/info": TEI, "/tei": TEI}
FORMS_AT: dict[str, list[BodyForm]] = {}
for _form in FORMS:
    FORMS_AT.setdefault(_form.path, []).append(_form)
# Paths whose body decides whose client is asking.
SHARED = {path for path, forms in FORMS_AT.items() if len({form.dialect for form in forms}) > 1}
# The task of every body that a path takes.
TASKS = {path: forms[0].task for path, forms in FORMS_AT.items() if len({form.task for form in forms}) == 1}
# What stands in bodies of ours alone; `query` is everybody's.
OUR_FIELDS = {field for form in FORMS if form.dialect == OURS for field in form.fields} - {"query"}
_GLANCE = 4096  # bytes of either end of a body that nobody has read
# Of a path, other services' forms with the fields of ours that no such body has; then the pairs that find_clash finds.
_THEIRS = {
    path: [(form, OUR_FIELDS - set(form.fields) if path in SHARED else set()) for form in forms if form.dialect != OURS]
    for path, forms in FORMS_AT.items()
}
_CLASHES = {
    path: [
        (form.names[0], other.names[0])
        for form in forms
        for other in forms
        if form.dialect != OURS
        and (path not in SHARED or other.dialect == OURS)
        and form.names[0] not in other.names
        and other.names[0] not in form.names
    ]
    for path, forms in FORMS_AT.items()
}


def find_form(path: str, body: Mapping[str, Any]) -> BodyForm | None:
    """The form of another service that `body` has at `path`; None for ours, and for what fits none.

    On a shared path a body with a field of ours that the form does not have is none of theirs.
    """
    for form, ours in _THEIRS.get(path, ()):
        if _has(body, form.fields[0]) and ours.isdisjoint(body):
            return form
    return None


def find_clash(path: str, body: Mapping[str, Any]) -> tuple[str, str] | None:
    """Two fields of `body` that tell of different forms at `path`, another service's first; None where all is clear."""
    return next((pair for pair in _CLASHES.get(path, ()) if pair[0] in body and pair[1] in body), None)


def guess_dialect(path: str, body: bytes) -> Dialect:
    """Whose a request to `path` seems to be, by the beginning and the end of a `body` that nobody has read yet."""
    ends = body[:_GLANCE] + b" " + body[-_GLANCE:]
    for form, _ in _THEIRS[path] if path in SHARED else ():
        if f'"{form.fields[0]}"'.encode() in ends:
            return form.dialect
    return dialect_of_path(path)


def dialect_of_path(path: str) -> Dialect:
    """The dialect of a path that is one service's alone; ours for all others."""
    if forms := FORMS_AT.get(path):
        return OURS if path in SHARED else forms[0].dialect
    return next((found for of, found in _PREFIXES.items() if path == of or path.startswith(of + "/")), OURS)


def _has(body: Mapping[str, Any], field: str) -> bool:
    name, _, inner = field.partition(".")
    return name in body and (not inner or (isinstance(body[name], dict) and inner in body[name]))
