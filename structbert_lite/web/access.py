"""Who may ask: an API key on every route but the open ones, and a Host header that names this server."""

import ipaddress
import logging
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, Response, request
from werkzeug.datastructures import Authorization, WWWAuthenticate
from werkzeug.exceptions import MisdirectedRequest
from werkzeug.sansio.utils import get_host

from structbert_lite.api_keys import Keys, check_exposure, is_loopback
from structbert_lite.errors import Unauthorized
from structbert_lite.settings import PREFIX, Settings
from structbert_lite.web.request_telemetry import request_state

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


class AccessRules:
    """Which names this server has and which keys it takes; what is not checked here is open."""

    def __init__(self, settings: Settings, keys: Keys) -> None:
        self._names = _host_names(settings, keys)
        self._keys = keys
        self._is_named = lru_cache(64)(self._names_this_server)

    def check_host(self, host: str | None) -> None:
        """Raises MisdirectedRequest (421) for a Host header that names another server. A browser always sends one."""
        if self._names and host is not None and not self._is_named(host):
            raise MisdirectedRequest(
                f"the Host header names none of this server's hosts; {PREFIX}ALLOWED_HOSTS sets them: "
                + ", ".join(sorted(self._names))
            )

    def check_key(self, authorization: str, own_header: str | None) -> int | None:
        """The number of the key that these headers carry: it names a client, and is no secret. None without any keys.

        Raises Unauthorized where there are keys and this is none of them.
        """
        if not self._keys:
            return None
        given = list(_given_keys(authorization, own_header))
        for key in given:
            if number := self._keys.find(key):
                return number
        raise Unauthorized(
            "this is not one of the server's API keys"
            if given
            else "an API key is needed, as `Authorization: Bearer KEY` or `X-API-Key: KEY`"
        )

    def _names_this_server(self, host: str) -> bool:
        # What is malformed has no name.
        name = (urlsplit(f"//{get_host('http', host)}").hostname or "").removesuffix(".")
        return name in self._names or _is_address(name)


def require_api_key(app: Flask, settings: Settings, keys: Keys) -> AccessRules:
    """Refuses requests without one of `keys` (401) and those meant for another host (421).

    Raises ConfigurationError when other machines reach the server without a key and the settings do not allow that.
    """
    check_exposure(settings, keys, [settings.host])
    if not keys and not is_loopback(settings.host):
        log.warning("there are no API keys: whoever reaches %s, port %d, may ask", settings.host, settings.port)
    rules = AccessRules(settings, keys)
    app.extensions["structbert_keys"] = keys
    app.jinja_env.globals["needs_key"] = bool(keys)

    @app.before_request
    def check() -> None:
        rules.check_host(request.headers.get("Host"))
        # A preflight has no key.
        if request.endpoint not in OPEN and request.path not in OPEN_PATHS and request.method != "OPTIONS":
            authorization = request.headers.get("Authorization", "")
            request_state().api_key = rules.check_key(authorization, request.headers.get("X-API-Key"))

    @app.after_request
    def challenge(response: Response) -> Response:
        response.headers.extend(challenge_headers(response.status_code))
        return response

    return rules


def challenge_headers(status: int) -> list[tuple[str, str]]:
    """What a 401 says of the ways to send a key; nothing with another status."""
    return [("WWW-Authenticate", challenge.to_header()) for challenge in CHALLENGES] if status == 401 else []


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


def _is_address(name: str) -> bool:
    """An address in the Host header needs no list: rebinding takes a name. Probes and scrapers ask by address."""
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _given_keys(authorization: str, own_header: str | None) -> Iterator[str]:
    """Every key that a request carries. A proxy's own Authorization may stand beside our X-API-Key."""
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() == "bearer":
        yield token.strip()
    elif (basic := Authorization.from_header(authorization)) and basic.password is not None:
        yield basic.password
    if own_header is not None:
        yield own_header.strip()
