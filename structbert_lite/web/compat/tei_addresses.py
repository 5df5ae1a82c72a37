"""Addresses that are all of TEI to a client: /tei for any model, told by the body, and /tei/TASK for one.

TEI answers whatever its one model does by POST to its base URL, and names that model in /info. `POST /` with JSON is
`/tei` (JsonAtRoot): there a form is the page's.
"""

from collections.abc import Callable, Iterable
from typing import Annotated, Any

from flask_openapi3 import Tag
from pydantic import BaseModel, Discriminator, Field, RootModel
from pydantic import Tag as PydanticTag

from structbert_lite.paths import TEI_TASKS, find_form
from structbert_lite.tasks.inputs import require_at_most
from structbert_lite.web.compat import openai, tei
from structbert_lite.web.compat.dialect import LenientRequest, examples_of
from structbert_lite.web.compat.errors import TEI_ERRORS
from structbert_lite.web.compat.fields import OneOrMoreBlankTexts, as_list
from structbert_lite.web.compat.zero_shot import HuggingFaceZeroShotAnswer, ZeroShotInputs, zero_shot
from structbert_lite.web.routing import ApiRequest, Route
from structbert_lite.web.schemas import with_examples

TAG = Tag(name="Text Embeddings Inference", description="Its bodies are taken by our own routes, too")
Answer = Callable[[Any, ApiRequest], Any]
# What answers a task's bodies, and the type of its answers.
Answered = tuple[type[BaseModel], Answer, type[BaseModel]]
ANSWERS: dict[str, Answered] = {
    "embedding": (tei.EmbedInputs, tei.embed, tei.TEIVectors),
    "rerank": (tei.RerankInputs, tei.rerank, tei.TEIRanks),
    "sentiment": (tei.PredictInputs, tei.predict, tei.TEILabels),
    "similarity": (tei.SimilarityInputs, tei.similarity, tei.TEIScores),
    "zero-shot": (ZeroShotInputs, zero_shot, HuggingFaceZeroShotAnswer),
}


OPENAI_ANSWER: Answered = (
    openai.OpenAIEmbeddingsRequest,
    openai.create_embeddings,
    openai.OpenAIEmbeddingsAnswer,
)


def _tag(body: Any) -> str:
    form = find_form("/tei", body) if isinstance(body, dict) else None
    return f"<{form.task if form else 'embedding'}>"


def _may_overlap(schema: dict[str, Any]) -> None:
    """A body with `parameters` is one of embedding, too, whose unknown fields are ignored: no form excludes another."""
    schema["anyOf"] = schema.pop("oneOf")


class TEIBody(
    RootModel[
        Annotated[
            Annotated[tei.EmbedInputs, PydanticTag("<embedding>")]
            | Annotated[tei.RerankInputs, PydanticTag("<rerank>")]
            | Annotated[tei.PredictInputs, PydanticTag("<sentiment>")]
            | Annotated[tei.SimilarityInputs, PydanticTag("<similarity>")]
            | Annotated[ZeroShotInputs, PydanticTag("<zero-shot>")],
            Discriminator(_tag),
        ]
    ]
):
    """What TEI takes at its base URL: classification has `parameters`, similarity nests `inputs`, embedding neither."""

    model_config = with_examples(
        **{
            f"{task}_{name}": example
            for task, (body, _, _) in ANSWERS.items()
            for name, example in examples_of(body).items()
            if _tag(example) == f"<{task}>"
        }
    ) | {"json_schema_extra": _may_overlap}


class TEIAnswer(RootModel[tei.TEIVectors | tei.TEIRanks | tei.TEILabels | tei.TEIScores | HuggingFaceZeroShotAnswer,]):
    """As the task's own route answers."""


def tei_any(body: TEIBody, call: ApiRequest) -> Any:
    """What TEI answers at its base URL. JSON to `POST /` comes here."""
    return next(answer for kind, answer, _ in ANSWERS.values() if type(body.root) is kind)(body.root, call)


class TokenizeInputs(LenientRequest):
    """One text or several."""

    model_config = with_examples(tei={"inputs": "今天天气很好"})

    inputs: OneOrMoreBlankTexts
    add_special_tokens: bool = Field(True, description="Whether what the model reads around a text is listed")
    prompt_name: None = None


class TEIToken(BaseModel):
    """A token and the characters of the text that it stands for; a special one stands for none."""

    id: int
    text: str
    special: bool
    start: int | None
    stop: int | None


class TEITokens(RootModel[list[list[TEIToken]]]):
    """All tokens of each text, also those that the model would not read."""


def _tokenize(task: str) -> Answer:
    def tokenize(body: TokenizeInputs, call: ApiRequest) -> list[list[dict[str, Any]]]:
        texts = as_list(body.inputs)
        require_at_most(call.engine.max_items, len(texts), "texts", "inputs")
        return [
            [
                {"id": one.id, "text": one.text, "special": one.special, "start": one.start, "stop": one.end}
                for one in tokens
            ]
            for tokens in call.engine.tokenize(task, texts, body.add_special_tokens)
        ]

    return tokenize


def _route(path: str, answer: Answer, body: type[BaseModel], answered: type[BaseModel], doc: str) -> Route:
    def named(body: Any, call: ApiRequest) -> Any:
        return answer(body, call)

    named.__name__ = path.strip("/").replace("/", "_").replace("-", "_")  # the operation's id
    named.__doc__ = doc
    return Route(path, named, body, TAG, {200: answered, **TEI_ERRORS})


def _routes_of(task: str) -> Iterable[Route]:
    for path, fields in TEI_TASKS[task]:
        body, answer, answered = OPENAI_ANSWER if fields == ("input",) else ANSWERS[task]
        doc = f"TEI's POST {path or '/'} where its model is the one for {task}."
        yield _route(f"/tei/{task}{path}", answer, body, answered, doc)
    yield _route(f"/tei/{task}/tokenize", _tokenize(task), TokenizeInputs, TEITokens, f"The {task} model's tokens.")


ROUTES = (
    _route("/tokenize", _tokenize("embedding"), TokenizeInputs, TEITokens, "The embedding model's tokens."),
    Route("/tei", tei_any, TEIBody, TAG, {200: TEIAnswer, **TEI_ERRORS}),
    *(route for task in TEI_TASKS for route in _routes_of(task)),
)
