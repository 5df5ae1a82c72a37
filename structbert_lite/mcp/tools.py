"""The tools that agents get: one a task, with the types, the function and the errors of its HTTP route."""

from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pydantic import BaseModel

from structbert_lite.engine import Engine
from structbert_lite.errors import InvalidInput
from structbert_lite.registry import models_of
from structbert_lite.settings import Settings
from structbert_lite.web.api import ROUTES
from structbert_lite.web.compat.errors import begin_with_field
from structbert_lite.web.errors import describe_error
from structbert_lite.web.routes.aspects import AspectsAnswer, TextsAspectsRequest
from structbert_lite.web.routes.embedding import EmbedAnswer, EmbedRequest
from structbert_lite.web.routes.explain import ExplainAnswer, ExplainRequest
from structbert_lite.web.routes.rerank import RerankAnswer, RerankRequest
from structbert_lite.web.routes.sentiment import PredictBatchRequest, Prediction
from structbert_lite.web.routes.similarity import PairsRequest, SimilarityAnswer
from structbert_lite.web.routes.zero_shot import ClassificationAnswer, ClassifyBatchRequest
from structbert_lite.web.routing import ApiRequest, Route
from structbert_lite.web.serialization import write_json

Answer = TypeVar("Answer", bound=BaseModel)


class Several(BaseModel, Generic[Answer]):
    """One result for each input, in their order. MCP's structured content is an object, never an array."""

    results: list[Answer]


@dataclass(frozen=True, slots=True)
class TaskTool:
    """What the engine is asked for as `task`, by way of `route`.

    `request`: the form of the route's body that the tool takes, one plain object, for what agents' models are told of
    has no alternatives at its top; `result`: what it gives back.
    """

    name: str
    title: str
    description: str
    task: str
    route: Route
    request: type[BaseModel]
    result: type[BaseModel]

    def answer(self, arguments: dict[str, Any], call: ApiRequest, max_bytes: int) -> dict[str, Any]:
        """What the route answers to the same body; an array of answers is the object `{"results": [...]}`.

        Raises pydantic's ValidationError, InvalidInput also for arguments of more than `max_bytes` of JSON, and what
        `Engine.predict` raises.
        """
        self.request.model_validate(arguments)  # names the field of this form, not of the route's other ones
        try:
            size = len(write_json(arguments))
        except UnicodeEncodeError:  # some of the SDK's readers let it through
            raise InvalidInput("half a character stands in them, a lone surrogate", "arguments") from None
        if size > max_bytes:
            raise InvalidInput(f"they are larger than the limit of {max_bytes} bytes", "arguments")
        answer = self.route.answer(self.route.body.model_validate(arguments), call)
        return {"results": answer} if isinstance(answer, list) else answer


_ROUTES = {route.path: route for route in ROUTES}
TOOLS = (
    TaskTool(
        "sentiment",
        "Sentiment of Chinese texts",
        "Is each Chinese text (a review, a comment, a message) positive or negative? Per text: `label`; `score`, the "
        "probability of that label; where the model knows texts without an opinion also `neutral`, the probability "
        "that there is none, and `uncertain`: true means do not rely on this label.",
        "sentiment",
        _ROUTES["/predict_batch"],
        PredictBatchRequest,
        Several[Prediction],
    ),
    TaskTool(
        "aspects",
        "What Chinese reviews praise and blame",
        "Which aspects (price, quality, delivery, room ...) does each Chinese review name, and does it praise them, "
        "blame them or both? Give `domain` for the usual aspects of a shop, of food or of hotels, or `aspects` in your "
        "own Chinese words; without both, a general list. Aspects that a text does not speak of are left out.",
        "aspects",
        _ROUTES["/aspects"],
        TextsAspectsRequest,
        Several[AspectsAnswer],
    ),
    TaskTool(
        "explain",
        "Words that decided a sentiment",
        "Why is this one Chinese text positive or negative? The answer of `sentiment` and the words of the text, each "
        "with its weight: above 0 it speaks for the label, below 0 against it.",
        "explain",
        _ROUTES["/explain"],
        ExplainRequest,
        ExplainAnswer,
    ),
    TaskTool(
        "similarity",
        "Do two Chinese texts mean the same?",
        "For each pair of Chinese texts: `score` 0..1 and `level` (high, medium, low); the order in a pair makes no "
        "difference. For duplicates and for matching questions. To search many passages for one query take `rerank`.",
        "similarity",
        _ROUTES["/similarity"],
        PairsRequest,
        Several[SimilarityAnswer],
    ),
    TaskTool(
        "classify",
        "Chinese texts by labels of your own",
        "Which of your labels fits each Chinese text, without training? Labels in Chinese, short and different in "
        "meaning. Per text all labels, best first, with their scores. `multi_label` scores each label by itself; "
        "`none` adds the probability that no label fits.",
        "zero-shot",
        _ROUTES["/classify"],
        ClassifyBatchRequest,
        Several[ClassificationAnswer],
    ),
    TaskTool(
        "rerank",
        "Chinese passages by how well they answer",
        "Sorts Chinese passages by how well they answer a query, best first: `index` is the place in `documents`, "
        "`relevance_score` is 0..1. Long passages are read whole.",
        "rerank",
        _ROUTES["/rerank"],
        RerankRequest,
        RerankAnswer,
    ),
    TaskTool(
        "embed",
        "Vectors of Chinese texts",
        "A vector of unit length for each Chinese text: hundreds of numbers, for a program that stores or compares "
        "them, not for reading. To compare texts take `similarity`, to search take `rerank`.",
        "embedding",
        _ROUTES["/embed"],
        EmbedRequest,
        EmbedAnswer,
    ),
)


def installed_tools(engine: Engine) -> dict[str, TaskTool]:
    """The tools by name whose models are all there."""
    return {tool.name: tool for tool in TOOLS if set(models_of(tool.task)) <= engine.names.keys()}


def instructions(settings: Settings) -> str:
    """What an agent should know of all tools."""
    return (
        "Understands Chinese texts with small models on this machine; nothing leaves it. Ask about many texts in one "
        f"call: at most {settings.max_items} (of texts times labels or aspects, too) and {settings.max_body_mb} MB. "
        "Models read the first 500 characters or so; `truncated` says that a text was longer. The same text always "
        "gets the same scores."
    )


def describe_failure(error: Exception) -> tuple[str, str]:
    """(error type, the sentence for the agent, which begins with the argument at fault), as the HTTP routes have it."""
    described = describe_error(error)
    return described.name, begin_with_field(described.field, described.message)
