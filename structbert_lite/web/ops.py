"""Health and metrics, for machines."""

from flask import Response, jsonify
from flask_openapi3 import APIBlueprint, Tag

from structbert_lite.engine import Engine
from structbert_lite.telemetry.exposition import CONTENT_TYPE_LATEST, expose
from structbert_lite.telemetry.metrics import Metrics
from structbert_lite.web.schemas import ErrorAnswer, Status, name_operation

OPERATIONS = Tag(name="operations", description="Health and metrics")
PROMETHEUS_TEXT = {"description": "OK", "content": {"text/plain": {"schema": {"type": "string"}}}}


def make_blueprint(engine: Engine, counted: Metrics) -> APIBlueprint:
    """/livez, /readyz, /health and /metrics, bound to `engine`."""
    ops = APIBlueprint("ops", __name__, operation_id_callback=name_operation)

    def ready() -> Response:
        engine.ping()
        return jsonify({"status": "ready"})

    @ops.get("/livez", tags=[OPERATIONS], responses={200: Status, 503: ErrorAnswer})
    def livez() -> Response:
        """The process works, or is loading or draining; 503 when it is stuck and only a new one can help."""
        engine.check_alive()
        return jsonify({"status": "alive"})

    @ops.get("/readyz", tags=[OPERATIONS], responses={200: Status, 503: ErrorAnswer})
    def readyz() -> Response:
        """Every model can answer; 503 while loading, while draining and when inference fails."""
        return ready()

    @ops.get("/health", tags=[OPERATIONS], responses={200: Status, 503: ErrorAnswer})
    def health() -> Response:
        """The same as /readyz, for people and containers."""
        return ready()

    @ops.get("/metrics", tags=[OPERATIONS], responses={200: PROMETHEUS_TEXT})
    def metrics() -> Response:
        """Prometheus text."""
        return Response(expose(counted.registry), content_type=CONTENT_TYPE_LATEST)

    return ops
