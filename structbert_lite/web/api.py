"""The JSON routes: our own, and those of other services."""

from typing import Any

from flask import Response, jsonify
from flask_openapi3 import APIBlueprint, Tag

from structbert_lite.engine import Engine
from structbert_lite.manifest import Manifest, Uncertainty
from structbert_lite.settings import Settings
from structbert_lite.web.compat import cohere, openai
from structbert_lite.web.compat.dialect import note_dialect
from structbert_lite.web.compat.tei import info
from structbert_lite.web.deadline import read_deadline
from structbert_lite.web.requests import require_json_object
from structbert_lite.web.routes import embedding, rerank, sentiment, similarity, zero_shot
from structbert_lite.web.schemas import ModelList, name_operation

MODELS = Tag(name="models", description="What is installed")


def make_blueprint(engine: Engine, settings: Settings) -> APIBlueprint:
    """The routes of every task and of every other service, bound to `engine`."""
    api = APIBlueprint("api", __name__, operation_id_callback=name_operation)
    api.before_request(require_json_object)
    api.before_request(note_dialect)

    def ask(task: str, inputs: list[Any], **options: Any) -> list[Any]:
        return engine.predict(task, inputs, read_deadline(settings.timeout_ms), **options)

    for task in (sentiment, similarity, embedding, zero_shot, rerank):
        task.add_routes(api, ask)
    for service in (openai, cohere):
        service.add_routes(api, ask, engine.count_tokens, engine)
    info.add_routes(api, engine, settings)

    @api.get("/models", tags=[MODELS], responses={200: ModelList})
    def models() -> Response:
        """What is installed: labels, thresholds, limits, digest, source and licence of each task's model."""
        return jsonify({"models": [_facts(task, engine, settings) for task in engine.names]})

    return api


def _facts(task: str, engine: Engine, settings: Settings) -> dict[str, Any]:
    manifest = engine.manifest(task)
    return {
        "task": task,
        "name": manifest.name,
        "labels": manifest.labels,
        "thresholds": _thresholds(task, manifest),
        "dimensions": manifest.dimensions if task == "embedding" else None,
        "limits": {
            "max_tokens": manifest.max_tokens,
            "max_items": settings.max_items,
            "max_body_bytes": settings.max_body_mb << 20,
        },
        "digest": manifest.digest,
        "source": manifest.source.model_dump(),
        "license": manifest.license,
        "loaded": engine.names[task] in engine.runners,
    }


def _thresholds(task: str, manifest: Manifest) -> dict[str, float]:
    if task == "similarity" and manifest.thresholds is not None:
        return manifest.thresholds.model_dump()
    if task == "sentiment" and manifest.has_neutral:
        return (manifest.uncertainty or Uncertainty()).model_dump()
    return {}
