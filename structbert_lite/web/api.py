"""Our own JSON routes."""

import time

from flask import Response, jsonify
from flask_openapi3 import APIBlueprint, Tag

from structbert_lite.engine import Engine
from structbert_lite.errors import InvalidInput
from structbert_lite.results import Classification
from structbert_lite.settings import Settings
from structbert_lite.web.requests import require_json_object
from structbert_lite.web.schemas import (
    ErrorAnswer,
    ModelList,
    PredictBatchRequest,
    Prediction,
    Predictions,
    PredictRequest,
    name_operation,
)

ERRORS = dict.fromkeys((400, 404, 413, 415, 422, 500, 503, 504), ErrorAnswer)
SENTIMENT = Tag(name="sentiment", description="Is this text positive or negative?")
MODELS = Tag(name="models", description="What is loaded")


def make_blueprint(engine: Engine, settings: Settings) -> APIBlueprint:
    """The routes of every task, bound to `engine`."""
    api = APIBlueprint("api", __name__, operation_id_callback=name_operation)
    api.before_request(require_json_object)

    def deadline() -> float:
        return time.monotonic() + settings.timeout_ms / 1000

    @api.post("/predict", tags=[SENTIMENT], responses={200: Prediction, **ERRORS})
    def predict(body: PredictRequest) -> Response:
        """The sentiment of one text."""
        try:
            (result,) = engine.predict("sentiment", [body.text], deadline())
        except InvalidInput as error:  # the caller sent `text`, not `texts[0]`
            raise InvalidInput(str(error), "text") from None
        return jsonify(_prediction(result))

    @api.post("/predict_batch", tags=[SENTIMENT], responses={200: Predictions, **ERRORS})
    def predict_batch(body: PredictBatchRequest) -> Response:
        """The sentiment of several texts, in request order."""
        return jsonify([_prediction(result) for result in engine.predict("sentiment", body.texts, deadline())])

    @api.get("/models", tags=[MODELS], responses={200: ModelList})
    def models() -> Response:
        """What is loaded: labels, limits, digest, source and licence of each model."""
        return jsonify({"models": [_facts(task, engine, settings) for task in engine.encoders]})

    return api


def _prediction(result: Classification) -> dict:
    return {
        "text": result.text,
        "label": result.label,
        "score": result.score,
        "probabilities": result.probabilities,
        "truncated": result.truncated,
    }


def _facts(task: str, engine: Engine, settings: Settings) -> dict:
    manifest = engine.manifest(task)
    return {
        "task": task,
        "name": manifest.name,
        "labels": manifest.labels,
        "thresholds": {},
        "limits": {
            "max_tokens": manifest.max_tokens,
            "max_items": settings.max_items,
            "max_body_bytes": settings.max_body_mb << 20,
        },
        "digest": manifest.digest,
        "source": manifest.source.model_dump(),
        "license": manifest.license,
    }
