"""The only place where settings, engine and flask meet: `create_app()`."""

import atexit
import logging
from collections.abc import Callable
from functools import partial

from flask import Flask
from flask_openapi3 import Info, OpenAPI
from werkzeug.middleware.proxy_fix import ProxyFix

from structbert_lite import __version__
from structbert_lite.api_keys import Keys, read_keys
from structbert_lite.engine import Engine, EngineHooks
from structbert_lite.inference.model import Model
from structbert_lite.inference.observer import Observer, Observers
from structbert_lite.registry import LoadModel
from structbert_lite.settings import Settings
from structbert_lite.telemetry.logs import configure_logs
from structbert_lite.telemetry.lookups import Lookups
from structbert_lite.telemetry.metrics import Metrics
from structbert_lite.telemetry.tracing import Tracing, make_tracing
from structbert_lite.web import api, document, ops, ui
from structbert_lite.web.access import guard
from structbert_lite.web.cors import share_with
from structbert_lite.web.errors import answer_validation, register_errors
from structbert_lite.web.observe import note_ask, observe_requests
from structbert_lite.web.rate_limit import RateLimiter, limit_clients
from structbert_lite.web.refusals import EXTENSION as REFUSALS
from structbert_lite.web.refusals import Refusals
from structbert_lite.web.requests import register_hooks
from structbert_lite.web.schemas import ErrorAnswer
from structbert_lite.web.strict_json import StrictJSON
from structbert_lite.web.timing import note_lookup, tell_timing


def create_app(settings: Settings | None = None, wait: bool = True, load_model: LoadModel = Model.load) -> Flask:
    """The application, its models loaded and warm; without `wait` only when the engine's `load` has been called.

    Raises ConfigurationError for an unusable environment or key file and InvalidModel for a damaged model.
    """
    settings = settings or Settings.from_environment()
    if not logging.getLogger().handlers:  # gunicorn has them already, from its configuration
        configure_logs(settings.log_level, settings.log_format)
    keys = read_keys(settings)
    metrics = Metrics()
    tracing = make_tracing(settings.traces)
    hooks = EngineHooks(
        observe=_observe_with(metrics, tracing),
        on_predict=note_ask,
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
        validation_error_callback=answer_validation,
    )
    app.json = StrictJSON(app)
    app.config["MAX_CONTENT_LENGTH"] = settings.max_body_mb << 20
    app.extensions["structbert_engine"] = engine
    # What SIGHUP does, by what it is done to; each says what it has now.
    app.extensions["structbert_reloads"] = {"keys": partial(_reload_keys, keys, settings), "models": engine.reload}
    if settings.trusted_proxies:
        hops = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops)
    observe_requests(app, metrics, tracing)
    register_hooks(app)
    tell_timing(app)
    guard(app, settings, keys)
    share_with(app, settings.cors_origins)
    if settings.rate_limit:
        limit_clients(app, RateLimiter(settings.rate_limit, settings.redis_url, settings.redis_timeout_ms))
    register_errors(app)
    app.register_api(api.make_blueprint(engine, settings))
    app.register_api(ops.make_blueprint(engine, metrics))
    app.register_blueprint(ui.make_blueprint(engine, settings))
    document.add_route(app, engine)
    app.extensions[REFUSALS] = Refusals(app, metrics, settings.cors_origins)
    return app


def _observe_with(metrics: Metrics, tracing: Tracing | None) -> Callable[[str], Observer]:
    others = [Lookups(note_lookup), *([tracing.observer] if tracing else [])]
    return lambda model: Observers(metrics.observe(model), *others)


def _reload_keys(keys: Keys, settings: Settings) -> list[str]:
    keys.replace(read_keys(settings))
    return [f"{len(keys)} in use"]
