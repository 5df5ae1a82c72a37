"""The only place where settings, engine and flask meet: `create_app()`."""

import atexit
import logging
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from flask import Flask
from flask_openapi3 import Info, OpenAPI
from werkzeug.middleware.proxy_fix import ProxyFix

from structbert_lite import __version__
from structbert_lite.api_keys import Keys, read_keys
from structbert_lite.engine import Engine, EngineHooks
from structbert_lite.errors import ConfigurationError
from structbert_lite.inference.observer import Observer, Observers
from structbert_lite.registry import LoadModel
from structbert_lite.settings import Settings
from structbert_lite.telemetry.logs import configure_logs
from structbert_lite.telemetry.metrics import Metrics
from structbert_lite.web import api, openapi, ops, ui
from structbert_lite.web.access import require_api_key
from structbert_lite.web.compat.json_requests import JsonRequests
from structbert_lite.web.errors import answer_error, register_errors
from structbert_lite.web.fast import EXTENSION as FAST
from structbert_lite.web.fast import FastRoutes
from structbert_lite.web.middleware import add_server_timing, enable_cors, register_hooks
from structbert_lite.web.rate_limit import RateLimiter, limit_clients
from structbert_lite.web.refusals import EXTENSION as REFUSALS
from structbert_lite.web.refusals import Refusals
from structbert_lite.web.request_telemetry import LookupObserver, RequestTelemetry, observe_requests, record_inputs
from structbert_lite.web.schemas import ErrorAnswer
from structbert_lite.web.serialization import StrictJSON

if TYPE_CHECKING:
    from structbert_lite.telemetry.traces import Tracing


def create_app(settings: Settings | None = None, wait: bool = True, load_model: LoadModel | None = None) -> Flask:
    """The application, its models loaded and warm; without `wait` only when the engine's `load` has been called.

    Raises ConfigurationError for an unusable environment or key file and InvalidModel for a damaged model.
    """
    settings = settings or Settings.from_environment()
    if not logging.getLogger().handlers:  # gunicorn has them already, from its configuration
        configure_logs(settings.log_level, settings.log_format)
    keys = read_keys(settings)
    metrics = Metrics()
    tracing = _open_tracing(settings.traces)
    hooks = EngineHooks(
        observe=_observe_with(metrics, tracing),
        on_predict=record_inputs,
        on_cache_error=metrics.note_cache_error,
        on_models=metrics.name_models,
    )
    engine = Engine(settings, hooks, wait, load_model)
    atexit.register(engine.close)

    app = OpenAPI(
        __name__,
        info=Info(title="StructBERT Lite", version=__version__),
        doc_ui=False,
        validation_error_model=ErrorAnswer,
        validation_error_callback=answer_error,
    )
    app.json = StrictJSON(app)
    app.config["MAX_CONTENT_LENGTH"] = settings.max_body_mb << 20
    app.extensions["structbert_engine"] = engine
    # What SIGHUP does, by what it is done to; each says what it has now.
    app.extensions["structbert_reloads"] = {"keys": partial(_reload_keys, keys, settings), "models": engine.reload}
    app.wsgi_app = JsonRequests(app.wsgi_app)
    if settings.trusted_proxies:
        hops = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops)
    telemetry = RequestTelemetry(metrics, tracing)
    observe_requests(app, telemetry)
    register_hooks(app)
    add_server_timing(app)
    access = require_api_key(app, settings, keys)
    enable_cors(app, settings.cors_origins)
    limiter = None
    if settings.rate_limit:
        limiter = RateLimiter(settings.rate_limit, settings.redis_url, settings.redis_timeout_ms)
        limit_clients(app, limiter)
    register_errors(app)
    app.register_api(api.make_blueprint(engine, settings))
    app.register_api(ops.make_blueprint(engine, metrics))
    app.register_blueprint(ui.make_blueprint(engine, settings))
    openapi.add_route(app, engine)
    app.extensions[FAST] = FastRoutes(engine, settings, telemetry, access, limiter)
    app.extensions[REFUSALS] = Refusals(app, metrics, settings.cors_origins)
    return app


def _observe_with(metrics: Metrics, tracing: "Tracing | None") -> Callable[[str], Observer]:
    others = [LookupObserver(), *([tracing.observer] if tracing else [])]
    return lambda model: Observers(metrics.observe(model), *others)


def _open_tracing(traces: str) -> "Tracing | None":
    """What the setting `traces` asks for. Raises ConfigurationError where the packages for it are missing."""
    if traces == "off":
        return None
    try:
        from structbert_lite.telemetry.traces import Tracing, otlp_provider
    except ModuleNotFoundError as error:
        raise ConfigurationError(f"STRUCTBERT_TRACES={traces} needs requirements-otel.txt: {error}") from None
    return Tracing(otlp_provider())


def _reload_keys(keys: Keys, settings: Settings) -> list[str]:
    keys.replace(read_keys(settings))
    return [f"{len(keys)} in use"]
