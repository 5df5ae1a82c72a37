"""The JSON routes: our own, and those of other services."""

from collections.abc import Callable
from typing import Any

from flask import Response, jsonify, request
from flask_openapi3 import APIBlueprint, Tag

from structbert_lite.engine import Engine
from structbert_lite.manifest import Manifest, Uncertainty
from structbert_lite.settings import Settings
from structbert_lite.web.compat import cohere, cohere_embed, elasticsearch, openai, tei_addresses, tei_info
from structbert_lite.web.compat.dialect import detect_dialect
from structbert_lite.web.deadline import read_context
from structbert_lite.web.middleware import require_json_object
from structbert_lite.web.request_telemetry import request_state
from structbert_lite.web.routes import aspects, embedding, explain, rerank, sentiment, similarity, zero_shot
from structbert_lite.web.routing import ApiRequest, Route
from structbert_lite.web.schemas import ModelList, name_operation

MODELS = Tag(name="models", description="What is installed")
ROUTES: tuple[Route, ...] = (
    *sentiment.ROUTES,
    *similarity.ROUTES,
    *embedding.ROUTES,
    *zero_shot.ROUTES,
    *rerank.ROUTES,
    *aspects.ROUTES,
    *explain.ROUTES,
    *openai.ROUTES,
    *cohere.ROUTES,
    *cohere_embed.ROUTES,
    *tei_addresses.ROUTES,
    *elasticsearch.ROUTES,
)


def make_blueprint(engine: Engine, settings: Settings) -> APIBlueprint:
    """The routes of every task and of every other service, bound to `engine`."""
    api = APIBlueprint("api", __name__, operation_id_callback=name_operation)

    @api.before_request
    def read_body() -> None:
        require_json_object()
        if request.method == "POST":
            detect_dialect(request_state(), request.get_json())

    for route in ROUTES:
        api.post(route.path, tags=[route.tag], responses=route.responses)(_view(route, engine, settings))
    openai.add_routes(api, engine)
    tei_info.add_routes(api, engine, settings)

    @api.get("/models", tags=[MODELS], responses={200: ModelList})
    def models() -> Response:
        """What is installed: labels, thresholds, limits, digest, source and licence of each task's models."""
        return jsonify(
            {
                "models": [
                    _facts(task, model, engine, settings) for task in engine.names for model in engine.choices(task)
                ]
            }
        )

    return api


def _view(route: Route, engine: Engine, settings: Settings) -> Callable[..., Response]:
    """A Flask view of `route`; the OpenAPI library reads the type of the body from its annotations."""

    def view(body: Any) -> Response:
        call = ApiRequest(
            engine,
            read_context(settings.timeout_ms),
            request_state().request_id,
            request.headers.get("User-Agent", ""),
        )
        return jsonify(route.answer(body, call))

    view.__name__, view.__doc__ = route.answer.__name__, route.answer.__doc__
    view.__annotations__["body"] = route.body
    return view


def _facts(task: str, model: str, engine: Engine, settings: Settings) -> dict[str, Any]:
    manifest = engine.manifest(task, model)
    return {
        "task": task,
        "name": manifest.name,
        "model": model,
        "default": model == engine.names[task],
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
        "early_exit": _early_exit(manifest, settings),
        "loaded": model in engine.runners,
    }


def _early_exit(manifest: Manifest, settings: Settings) -> dict[str, Any] | None:
    facts = manifest.early_exit
    if facts is None:
        return None
    return {"on": settings.early_exit, "layers": facts.layers, "exits": [found.layer for found in facts.exits]}


def _thresholds(task: str, manifest: Manifest) -> dict[str, float]:
    if task == "similarity" and manifest.thresholds is not None:
        return manifest.thresholds.model_dump()
    if task == "sentiment" and manifest.has_neutral:
        return (manifest.uncertainty or Uncertainty()).model_dump()
    return {}
