"""The page of each task, the plain HTML form behind it, and the page that shows the API."""

import json
import re
import time
from collections.abc import Callable
from functools import partial
from importlib.resources import files
from pathlib import Path
from typing import Any

from flask import Blueprint, current_app, make_response, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import MethodNotAllowed, NotFound, RequestEntityTooLarge, UnsupportedMediaType

from structbert_lite.engine import Engine
from structbert_lite.errors import InvalidInput, StructBertError, TaskNotAvailable, Unauthorized
from structbert_lite.settings import PROJECT, Settings
from structbert_lite.web.deadline import read_context
from structbert_lite.web.errors import answer_error, retry_headers, status_of
from structbert_lite.web.pages import PANELS, Panel
from structbert_lite.web.preferences import (
    LANGUAGES,
    THEMES,
    chosen_model,
    keep_preferences,
    language,
    remember,
    remember_model,
    theme,
)
from structbert_lite.web.rate_limit import take_turn
from structbert_lite.web.request_telemetry import request_state
from structbert_lite.web.scatter import short_name

TEMPLATES = PROJECT / "templates"
# Further entries of the navigation: a page each, of the same name as its endpoint, its template and its texts.
OTHERS = ("bulk", "status")
# What the first page names beside the ways that it points out: itself, files, own labels and the API.
MORE = {"aspects", "similarity", "rerank", "embed"}
PLACE = re.compile(r"\{(\w+)(?:\|([^|{}]*)\|([^|{}]*))?\}")
# The JSON routes that answer many rows at once, for the page for whole files. A reranking asks for one query at a time,
# and vectors make a file that no browser should hold: both are for the command line.
BULK_ROUTES = {"sentiment": "api.predict_batch", "similarity": "api.similarity", "zero-shot": "api.classify"}
# What that page asks about some of the rows afterwards.
FURTHER_ROUTES = {
    "aspects": ("api.aspects", "zero-shot"),
    "explain": ("api.explain", "sentiment"),
    "embed": ("api.embed", "embedding"),
}
SWAGGER = Path(str(files("flask_openapi3_swagger"))) / "templates" / "swagger"


def make_blueprint(engine: Engine, settings: Settings) -> Blueprint:
    """A route for each panel and other page, and `/docs`, with Swagger UI's own files below `/docs/assets`."""
    page = Blueprint("ui", __name__, static_folder=SWAGGER, static_url_path="/docs/assets")
    page.add_app_template_filter(_filled, "filled")
    page.add_app_template_filter(short_name, "short_name")
    keep_preferences(page)
    texts = {one: json.loads((TEMPLATES / f"texts.{one}.json").read_text(encoding="utf-8")) for one in LANGUAGES}
    for panel in PANELS:
        view = _view(panel, texts, engine, settings)
        page.add_url_rule(panel.path, panel.name, view, methods=["GET", "POST"])

    @page.context_processor
    def frame() -> dict[str, Any]:
        mine = texts[language()]
        others = [(f"ui.{one}", mine["pages"][one]["nav"]) for one in OTHERS]
        leads = [(f"ui.{one.name}", *_headings(mine["panels"][one.name])) for one in PANELS if one.name in MORE]
        return {"theme": theme(), "themes": THEMES, "tasks": _tasks(mine, engine), "others": others, "leads": leads}

    @page.errorhandler(Unauthorized)
    def unauthorized(error: Unauthorized) -> ResponseReturnValue:
        status, request_state().error_type = status_of(error)
        return render_template("unauthorized.html", t=texts[language()]), status

    @page.app_errorhandler(NotFound)
    @page.app_errorhandler(MethodNotAllowed)
    def missing(error: NotFound | MethodNotAllowed) -> ResponseReturnValue:
        # curl and clients, which take anything, get the JSON of every error.
        if request.accept_mimetypes.best_match(["application/json", "text/html"]) != "text/html":
            return answer_error(error)
        status, kind = status_of(error)
        request_state().error_type = kind
        body = render_template("missing.html", t=texts[language()], kind=kind, **frame())
        return remember(make_response(body, status, {"Vary": "Accept"}))

    @page.get("/docs")
    def docs() -> ResponseReturnValue:
        return render_template("docs.html", t=texts[language()])

    @page.get("/ui/bulk")
    def bulk() -> ResponseReturnValue:
        limits = {"mb": settings.max_body_mb, "items": settings.max_items}
        facts = {"values": {}, "limits": limits, "served": _bulk_tasks(engine, settings.sentiment_neutral)}
        facts["more"] = _further_routes(engine)
        return render_template("bulk.html", t=_texts_of("bulk", "pages", texts[language()]), **facts)

    @page.get("/ui/status")
    def status() -> ResponseReturnValue:
        return render_template("status.html", t=_texts_of("status", "pages", texts[language()]))

    return page


def _tasks(texts: dict[str, Any], engine: Engine) -> list[tuple[str, str, bool]]:
    """(endpoint, name, whether a model serves it) of each panel."""
    served = set(engine.names)  # a reload may have changed them
    return [(f"ui.{one.name}", texts["panels"][one.name]["nav"], served.issuperset(one.models)) for one in PANELS]


def _headings(panel: dict[str, Any]) -> tuple[str, str]:
    return panel["title"], panel["lead"]


def _bulk_tasks(engine: Engine, neutral: bool) -> dict[str, dict[str, Any]]:
    """By task, of those that are served now: `api`, its route, and `labels` of its answers, in their order.

    Where a sentiment model knows Neutral there is also `neutral`, whether it may be an answer's label. Where there are
    several models, `models` has each with its name, the default one first.
    """

    def facts(task: str, model: str) -> dict[str, Any]:
        manifest = engine.manifest(task, model)
        return {
            "labels": list(manifest.answered_labels(neutral)),
            **({"neutral": neutral} if manifest.has_neutral else {}),
        }

    tasks = {}
    for task, route in BULK_ROUTES.items():
        if task in engine.names:
            default, *further = engine.choices(task)
            tasks[task] = {"api": url_for(route), **facts(task, default)}
            if further:
                tasks[task]["models"] = [{"name": name, **facts(task, name)} for name in (default, *further)]
                tasks[task]["chosen"] = chosen_model(task, further) or ""
    return tasks


def _further_routes(engine: Engine) -> dict[str, str]:
    """Of the questions that may be asked about rows afterwards those that this server answers, with their routes."""
    return {
        name: url_for(route)
        for name, (route, task) in FURTHER_ROUTES.items()
        if route in current_app.view_functions and task in engine.names
    }


def _texts_of(name: str, group: str, texts: dict[str, Any]) -> dict[str, Any]:
    """The common texts with a page's own in front of them."""
    common = {key: text for key, text in texts.items() if key not in {"panels", "pages"}}
    own: dict[str, Any] = texts[group][name]
    return common | own | {"errors": common["errors"] | own.get("errors", {})}


def _view(
    panel: Panel, texts: dict[str, dict[str, Any]], engine: Engine, settings: Settings
) -> Callable[[], ResponseReturnValue]:
    mine = {one: _texts_of(panel.name, "panels", texts[one]) for one in LANGUAGES}
    fixed = {
        "panel": panel,
        "limits": {"mb": settings.max_body_mb, "items": min(panel.max_items or settings.max_items, settings.max_items)},
    }

    def view() -> ResponseReturnValue:
        started = time.monotonic()
        show = partial(render_template, f"panels/{panel.name}.html", t=mine[language()], **fixed)
        # Werkzeug's own limit for a form is 500 kB; percent-encoded Chinese takes 9 bytes a character.
        request.max_content_length = request.max_form_memory_size = settings.max_body_mb << 20
        facts: dict[str, Any] = {"values": {}}
        try:
            take_turn()
            for task in panel.models:
                engine.manifest(task)  # raises where there is none
            facts |= _models(panel, engine, chosen_model(panel.task, engine.choices(panel.task)))
            if request.method != "POST":
                return show(**facts)
            # A browser sends a form's line ends as CRLF; the script and curl send LF.
            facts["values"] = {name: request.form.get(name, "").replace("\r\n", "\n") for name in panel.fields}
            named = request.form.get("model")
            if named and named not in engine.choices(panel.task):
                raise InvalidInput("no model has this name", "model")
            chosen = facts["chosen"] if named is None else named or None
            facts |= _models(panel, engine, chosen)
            ask = partial(engine.predict, panel.task, context=read_context(settings.timeout_ms), model=chosen)
            facts["result"] = panel.answer(facts["values"], ask)
        except (RequestEntityTooLarge, UnsupportedMediaType, StructBertError) as error:
            status, kind = status_of(error)
            request_state().error_type = kind
            wrong = getattr(error, "field", "").partition("[")[0]  # `labels[2]` is in the form's field `labels`
            facts |= {"error": kind, "wrong": wrong, "request_id": request_state().request_id}
            if isinstance(error, TaskNotAvailable):
                facts["command"] = error.command
            return make_response(show(**facts), status, retry_headers(error))
        response = make_response(
            show(**facts, took_ms=(time.monotonic() - started) * 1000, cached=request_state().cache)
        )
        if named is not None:
            remember_model(response, panel.task, named)
        return response

    return view


def _models(panel: Panel, engine: Engine, chosen: str | None) -> dict[str, Any]:
    """What the template says of the model that answers, and the `choices` where there are several."""
    task, choices = panel.models[0], engine.choices(panel.task)
    manifest = engine.manifest(task, chosen if chosen in engine.choices(task) else None)
    return {
        "model": manifest,
        # Two folders may hold models of one name.
        "model_name": chosen or (choices[0] if len(choices) > 1 else manifest.name),
        "chosen": chosen,
        "choices": choices if len(choices) > 1 else (),
    }


def _filled(text: str, **values: object) -> str:
    """Puts values in the places of a text, {ms} and the like; {count|row|rows} is the word for one or for several.

    Not str.format: `{}` alone is an example's own.
    """

    def value(place: re.Match[str]) -> str:
        name, one, several = place.groups()
        if name not in values:
            return place[0]
        return str(values[name]) if one is None else one if str(values[name]) == "1" else several

    return PLACE.sub(value, text)
