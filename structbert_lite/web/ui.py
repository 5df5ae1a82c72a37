"""The page of each task, the plain HTML form behind it, and the page that shows the API."""

import json
import re
import time
from collections.abc import Callable
from functools import partial
from importlib.resources import files
from pathlib import Path
from typing import Any

from flask import Blueprint, g, make_response, render_template, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import RequestEntityTooLarge, UnsupportedMediaType

from structbert_lite.engine import Engine
from structbert_lite.errors import StructBertError, Unauthorized
from structbert_lite.settings import PROJECT, Settings
from structbert_lite.web.bulk import bulk_tasks
from structbert_lite.web.choices import LANGUAGES, THEMES, keep_choices, language, theme
from structbert_lite.web.deadline import read_deadline
from structbert_lite.web.errors import RETRY_AFTER, status_of
from structbert_lite.web.panels import PANELS
from structbert_lite.web.panels.panel import Panel
from structbert_lite.web.rate_limit import take_turn
from structbert_lite.web.timing import found

TEMPLATES = PROJECT / "templates"
# Further entries of the navigation: a page each, of the same name as its endpoint, its template and its texts.
OTHERS = ("bulk", "status")
PLACE = re.compile(r"\{(\w+)\}")
SWAGGER = Path(str(files("flask_openapi3_swagger"))) / "templates" / "swagger"


def make_blueprint(engine: Engine, settings: Settings) -> Blueprint:
    """A route for each panel and other page, and `/docs`, with Swagger UI's own files below `/docs/assets`."""
    page = Blueprint("ui", __name__, static_folder=SWAGGER, static_url_path="/docs/assets")
    page.add_app_template_filter(_filled, "filled")
    keep_choices(page)
    texts = {one: json.loads((TEMPLATES / f"texts.{one}.json").read_text(encoding="utf-8")) for one in LANGUAGES}
    for panel in PANELS:
        view = _view(panel, texts, engine, settings)
        page.add_url_rule(panel.path, panel.name, view, methods=["GET", "POST"])

    @page.context_processor
    def frame() -> dict[str, Any]:
        mine = texts[language()]
        others = [(f"ui.{one}", mine["pages"][one]["nav"]) for one in OTHERS]
        return {"theme": theme(), "themes": THEMES, "tasks": _tasks(mine, engine), "others": others}

    @page.errorhandler(Unauthorized)
    def unauthorized(error: Unauthorized) -> ResponseReturnValue:
        return render_template("unauthorized.html", t=texts[language()]), status_of(error)[0]

    @page.get("/docs")
    def docs() -> ResponseReturnValue:
        return render_template("docs.html", t=texts[language()])

    @page.get("/ui/bulk")
    def bulk() -> ResponseReturnValue:
        limits = {"mb": settings.max_body_mb, "items": settings.max_items}
        facts = {"values": {}, "limits": limits, "served": bulk_tasks(engine, settings.sentiment_neutral)}
        return render_template("bulk.html", t=_texts_of("bulk", "pages", texts[language()]), **facts)

    @page.get("/ui/status")
    def status() -> ResponseReturnValue:
        return render_template("status.html", t=_texts_of("status", "pages", texts[language()]))

    return page


def _tasks(texts: dict[str, Any], engine: Engine) -> list[tuple[str, str, bool]]:
    """(endpoint, name, whether a model serves it) of each panel."""
    served = engine.names  # a reload may have changed them
    return [(f"ui.{one.name}", texts["panels"][one.name]["nav"], one.task in served) for one in PANELS]


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
            facts["model"] = engine.manifest(panel.task)
            if request.method != "POST":
                return show(**facts)
            # A browser sends a form's line ends as CRLF; the script and curl send LF.
            facts["values"] = {name: request.form.get(name, "").replace("\r\n", "\n") for name in panel.fields}
            ask = partial(engine.predict, panel.task, context=read_deadline(settings.timeout_ms))
            facts["result"] = panel.answer(facts["values"], ask)
        except RequestEntityTooLarge:
            g.error_type = "payload_too_large"
            return show(**facts, error="payload_too_large"), 413
        except UnsupportedMediaType:
            return show(**facts, error="unsupported_media_type"), 415
        except StructBertError as error:
            status, kind = status_of(error)
            g.error_type = kind
            wrong = getattr(error, "field", "").partition("[")[0]  # `labels[2]` is in the form's field `labels`
            response = make_response(show(**facts, error=kind, detail=str(error), wrong=wrong), status)
            if status in {429, 503}:
                response.headers["Retry-After"] = str(getattr(error, "retry_after", RETRY_AFTER))
            return response
        return show(**facts, took_ms=(time.monotonic() - started) * 1000, cached=found())

    return view


def _filled(text: str, **values: object) -> str:
    """Puts values in the places of a text, {ms} and the like. Not str.format: `{}` alone is an example's own."""
    return PLACE.sub(lambda place: str(values.get(place[1], place[0])), text)
