"""Who may ask: an API key on every route but the open ones, and a Host header that names this server."""

import ipaddress
import logging
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, Response, g, request
from werkzeug.datastructures import WWWAuthenticate
from werkzeug.exceptions import MisdirectedRequest

from structbert_lite.api_keys import Keys, check_exposure, is_loopback
from structbert_lite.errors import Unauthorized
from structbert_lite.settings import PREFIX, Settings

log = logging.getLogger(__name__)

# Endpoints that never need a key: probes, which cannot send one, and files that anybody can read in the repository.
OPEN = {"ops.livez", "ops.readyz", "ops.health", "static", "ui.static"}
# The same probes by path: with a method that they do not take there is no endpoint, and the answer is still 405.
OPEN_PATHS = {"/livez", "/readyz", "/health"}
REALM: dict[str, str | None] = {"realm": "StructBERT Lite"}
# Browsers understand Basic and ask the user for the key by themselves, also where scripts are off.
CHALLENGES = (WWWAuthenticate("bearer", REALM), WWWAuthenticate("basic", REALM | {"charset": "UTF-8"}))
ERROR = "#/components/schemas/ErrorAnswer"
SCHEMES = {
    "bearer": {"type": "http", "scheme": "bearer"},
    "header": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
    "basic": {"type": "http", "scheme": "basic", "description": "The key as password, with any user name"},
}
VARIABLE = re.compile(r"<(?:\w+:)?(\w+)>")  # in a route: OpenAPI writes {name}
LOCAL_NAMES = {"localhost"}


def guard(app: Flask, settings: Settings, keys: Keys) -> None:
    """Refuses requests without one of `keys` (401) and those meant for another host (421).

    Raises ConfigurationError when other machines reach the server without a key and the settings do not allow that.
    """
    check_exposure(settings, keys, [settings.host])
    if not keys and not is_loopback(settings.host):
        log.warning("there are no API keys: whoever reaches %s, port %d, may ask", settings.host, settings.port)
    if names := _host_names(settings, keys):
        app.before_request(lambda: _check_host(names))
    app.extensions["structbert_keys"] = keys
    app.jinja_env.globals["needs_key"] = bool(keys)
    if keys:
        app.before_request(lambda: _check_key(keys))
        app.after_request(_challenge)


def describe_keys(app: Flask, document: dict[str, Any]) -> dict[str, Any]:
    """The OpenAPI `document`, where keys are needed with how to send one and which routes answer without."""
    if not app.extensions["structbert_keys"]:
        return document
    document["components"]["securitySchemes"] = SCHEMES
    document["security"] = [{name: []} for name in SCHEMES]
    for rule in app.url_map.iter_rules():
        for operation in document["paths"].get(VARIABLE.sub(r"{\1}", rule.rule), {}).values():
            if rule.endpoint in OPEN:
                operation["security"] = []
            else:
                operation["responses"].setdefault("401", _refusal(operation))
    return document


def _refusal(operation: dict[str, Any]) -> dict[str, Any]:
    """The description of a 401, in the shape of the route's other errors: other services' routes have theirs."""
    others = (answer for status, answer in operation["responses"].items() if status >= "400" and "content" in answer)
    ours = {"content": {"application/json": {"schema": {"$ref": ERROR}}}}
    return {"description": "Unauthorized", "content": next(others, ours)["content"]}


def _host_names(settings: Settings, keys: Keys) -> set[str]:
    """The names to answer to, in lower case; none means any.

    A web page can make its own name point at 127.0.0.1 and read a server on the visitor's machine as if it were its own
    (DNS rebinding). Where a key is needed it gets nothing: browsers keep a key for the name that it was given to.
    """
    names = {name.strip().lower() for name in settings.allowed_hosts.split(",") if name.strip()}
    return names or (LOCAL_NAMES if is_loopback(settings.host) and not keys else set())


def _check_host(names: set[str]) -> None:
    if "Host" not in request.headers:  # a browser always sends one
        return
    name = (urlsplit(f"//{request.host}").hostname or "").removesuffix(".")  # `host` is empty where it is malformed
    if name not in names and not _is_address(name):
        raise MisdirectedRequest(
            f"the Host header names none of this server's hosts; {PREFIX}ALLOWED_HOSTS sets them: "
            + ", ".join(sorted(names))
        )


def _is_address(name: str) -> bool:
    """An address in the Host header needs no list: rebinding takes a name. Probes and scrapers ask by address."""
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _check_key(keys: Keys) -> None:
    """Leaves the number of the key that was accepted in `g.api_key`: it names a client, and no secret."""
    if request.endpoint in OPEN or request.path in OPEN_PATHS or request.method == "OPTIONS":  # a preflight has no key
        return
    given = list(_given())
    g.api_key = next((number for key in given if (number := keys.find(key))), None)
    if g.api_key is None:
        raise Unauthorized(
            "this is not one of the server's API keys"
            if given
            else "an API key is needed, as `Authorization: Bearer KEY` or `X-API-Key: KEY`"
        )


def _given() -> Iterator[str]:
    """Every key that a request carries. A proxy's own Authorization may stand beside our X-API-Key."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        yield token.strip()
    elif (basic := request.authorization) and basic.password is not None:
        yield basic.password
    if "X-API-Key" in request.headers:
        yield request.headers["X-API-Key"].strip()


def _challenge(response: Response) -> Response:
    if response.status_code == 401:
        response.headers.extend([("WWW-Authenticate", challenge.to_header()) for challenge in CHALLENGES])
    return response
