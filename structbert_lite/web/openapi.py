"""/openapi.json: the document that is made from the types, and what no type says."""

import copy
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

from flask import Response, jsonify
from flask_openapi3 import OpenAPI

from structbert_lite.engine import Engine
from structbert_lite.web.access import describe_keys
from structbert_lite.web.deadline import HEADER, LARGEST
from structbert_lite.web.middleware import REQUEST_ID
from structbert_lite.web.rate_limit import EXEMPT_BLUEPRINTS

OURS = {"application/json": {"schema": {"$ref": "#/components/schemas/ErrorAnswer"}}}
HEADERS = {
    "X-Request-ID": {
        "description": "The request's own, or one that was made for it",
        "schema": {"type": "string", "pattern": f"^{REQUEST_ID}$"},
    },
    "Retry-After": {"description": "Seconds", "schema": {"type": "integer", "minimum": 1}},
}
PARAMETERS = {
    "deadline": {
        "name": HEADER,
        "in": "header",
        "description": "Milliseconds within which the answer is wanted; the server's own limit stays",
        "schema": {"type": "integer", "minimum": 1, "maximum": LARGEST},
    },
    "request_id": {
        "name": "X-Request-ID",
        "in": "header",
        "description": "Comes back with the answer and stands in the log, where it is `[A-Za-z0-9_.-]{1,128}`",
        "schema": {"type": "string"},
    },
}


def add_route(app: OpenAPI, engine: Engine) -> None:
    """GET /openapi.json. Every other route must be there already."""
    # Made now: the library's own lazy one is changed while other threads may read it.
    document = app.api_doc
    for methods in document["paths"].values():
        if "get" in methods:  # the library says of every route that it may refuse what it reads
            del methods["get"]["responses"]["422"]
    _complete(app, describe_keys(app, document))
    two_way = _without_neutral(document)
    wanted = [form for one in (document, two_way) for form in _dimensions(one)]

    @app.get("/openapi.json", doc_ui=False)
    def openapi() -> Response:
        if "embedding" in engine.names:
            for form in wanted:  # each time: the model may have been replaced
                form["const"] = engine.manifest("embedding").dimensions
        has_neutral = "sentiment" in engine.names and engine.manifest("sentiment").has_neutral
        return jsonify(document if has_neutral else two_way)


def _without_neutral(document: dict[str, Any]) -> dict[str, Any]:
    """A copy without the examples that are refused by a sentiment model that does not know Neutral."""
    document = copy.deepcopy(document)
    for path in ("/predict", "/predict_batch"):
        del document["paths"][path]["post"]["requestBody"]["content"]["application/json"]["examples"]["neutral"]
    return document


def _complete(app: OpenAPI, document: dict[str, Any]) -> None:
    """What happens around every route: headers, and the errors of whoever stands in front of it."""
    components = document["components"]
    components["headers"], components["parameters"] = HEADERS, PARAMETERS
    if components["securitySchemes"] is None:  # the library's own, which OpenAPI forbids
        del components["securitySchemes"]
    exempt = {rule.rule for rule in app.url_map.iter_rules() if rule.endpoint.partition(".")[0] in EXEMPT_BLUEPRINTS}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            answers = operation["responses"]
            parameters = ["request_id"] if method == "get" else ["request_id", "deadline"]
            operation.setdefault("parameters", []).extend(
                {"$ref": f"#/components/parameters/{name}"} for name in parameters
            )
            content = next((one["content"] for status, one in answers.items() if status >= "400"), OURS)
            content = {"application/json": {"schema": content["application/json"]["schema"]}}
            for status in ("421",) if path in exempt else ("421", "429"):
                answers.setdefault(status, {"description": HTTPStatus(int(status)).phrase, "content": content})
            for status, answer in answers.items():
                names = ["X-Request-ID"] + ["Retry-After"] * (status in {"429", "503"})
                answer["headers"] = {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def _dimensions(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Where a request may say the size of the vectors that it wants."""
    for schema in document["components"]["schemas"].values():
        for name in ("dimensions", "output_dimension"):
            for form in schema.get("properties", {}).get(name, {}).get("anyOf", []):
                if form.get("type") == "integer":
                    yield form
