"""Language and colours of the pages: what the address says, else what was chosen before, else what the browser says."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote, unquote

from flask import Blueprint, Response, request

LANGUAGES = ("zh", "en")  # the first one is for a browser that accepts none of them
THEMES = ("auto", "light", "dark")
PREFERENCES = {"lang": LANGUAGES, "theme": THEMES}
COOKIE = "structbert-{}"
COOKIE_SECONDS = 365 * 24 * 3600


def language() -> str:
    """One of LANGUAGES."""
    return _chosen("lang") or request.accept_languages.best_match(LANGUAGES, LANGUAGES[0])


def theme() -> str:
    """One of THEMES; `auto` follows the visitor's system."""
    return _chosen("theme") or THEMES[0]


def chosen_model(task: str, choices: Sequence[str]) -> str | None:
    """The one of `choices` that the address, else this browser, wants for `task`; None: the default one."""
    asked = request.args.get("model")
    wanted = unquote(request.cookies.get(_model_cookie(task), "")) if asked is None else asked
    return wanted if wanted in choices else None


def remember_model(response: Response, task: str, model: str) -> None:
    """Keeps a choice for this browser. Empty: the default one, whichever it will be. static/models.js does the same."""
    seconds = COOKIE_SECONDS if model else 0
    # As below, not HttpOnly; percent-encoded, for a folder's name may be in any script.
    response.set_cookie(_model_cookie(task), quote(model, safe=""), seconds, secure=request.is_secure, samesite="Lax")


def keep_preferences(pages: Blueprint) -> None:
    """A choice in the address of one of `pages` goes into a cookie, and into the addresses that it links to."""
    pages.after_request(remember)

    @pages.url_defaults
    def pass_on(endpoint: str, values: dict[str, Any]) -> None:
        # A browser without cookies keeps the language all the same.
        if (lang := _asked("lang")) and endpoint.startswith("ui.") and endpoint != "ui.static":
            values.setdefault("lang", lang)


def remember(response: Response) -> Response:
    """Puts what the address asks for into cookies of a page."""
    if response.mimetype == "text/html":
        response.vary.update(["Accept-Language", "Cookie"])
        for name in PREFERENCES:
            if value := _asked(name):
                # Not HttpOnly: the page's script changes the colours without asking the server.
                response.set_cookie(
                    COOKIE.format(name), value, COOKIE_SECONDS, secure=request.is_secure, samesite="Lax"
                )
    return response


def _model_cookie(task: str) -> str:
    return COOKIE.format(f"model-{task}")


def _chosen(name: str) -> str | None:
    return _asked(name) or _known(name, request.cookies.get(COOKIE.format(name)))


def _asked(name: str) -> str | None:
    return _known(name, request.args.get(name))


def _known(name: str, value: str | None) -> str | None:
    return value if value in PREFERENCES[name] else None
