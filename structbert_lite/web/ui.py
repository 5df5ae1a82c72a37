"""The page of the sentiment task, the plain HTML form behind it, and the page that shows the API."""

import json
import time
from importlib.resources import files
from pathlib import Path

from flask import Blueprint, make_response, render_template, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import RequestEntityTooLarge

from structbert_lite.engine import Engine
from structbert_lite.errors import StructBertError
from structbert_lite.manifest import Manifest
from structbert_lite.settings import PROJECT, Settings
from structbert_lite.web.errors import RETRY_AFTER, status_of

TEXTS = PROJECT / "templates" / "texts.zh.json"
SWAGGER = Path(str(files("flask_openapi3_swagger"))) / "templates" / "swagger"


def make_blueprint(engine: Engine, settings: Settings) -> Blueprint:
    """Routes `/` and `/docs`, with Swagger UI's own files below `/docs/assets`."""
    page = Blueprint("ui", __name__, static_folder=SWAGGER, static_url_path="/docs/assets")
    texts = json.loads(TEXTS.read_text(encoding="utf-8"))

    def show(status: int = 200, **facts: object) -> ResponseReturnValue:
        return render_template("index.html", t=texts, limit_mb=settings.max_body_mb, **facts), status

    def show_error(error: StructBertError, text: str, model: Manifest | None) -> ResponseReturnValue:
        status, kind = status_of(error)
        response = make_response(show(status, text=text, model=model, error=kind, detail=str(error)))
        if status == 503:
            response.headers["Retry-After"] = str(getattr(error, "retry_after", RETRY_AFTER))
        return response

    @page.get("/")
    def home() -> ResponseReturnValue:
        try:
            return show(model=engine.manifest("sentiment"))
        except StructBertError as error:
            return show_error(error, "", None)

    @page.post("/")
    def submit() -> ResponseReturnValue:
        started = time.monotonic()
        # Werkzeug's own limit for a form is 500 kB; percent-encoded Chinese takes 9 bytes a character.
        request.max_content_length = request.max_form_memory_size = settings.max_body_mb << 20
        text, model = "", None
        try:
            model = engine.manifest("sentiment")
            # A browser sends a form's line ends as CRLF; the script and curl send LF.
            text = request.form.get("text", "").replace("\r\n", "\n")
            (result,) = engine.predict("sentiment", [text], started + settings.timeout_ms / 1000)
        except RequestEntityTooLarge:
            return show(413, model=model, error="payload_too_large")
        except StructBertError as error:
            return show_error(error, text, model)
        return show(text=text, model=model, result=result, took_ms=(time.monotonic() - started) * 1000)

    @page.get("/docs")
    def docs() -> ResponseReturnValue:
        return render_template("docs.html", t=texts)

    return page
