"""docs/api.md has the routes and errors that there are, and no others."""

import re
from collections.abc import Iterator

from flask import Flask

from structbert_lite.paths import FORMS, OURS
from structbert_lite.settings import PROJECT
from structbert_lite.web.errors import STATUSES
from tests.docs.pages import PAGES, inline, read

API = read(PROJECT / "docs/api.md")
FILES = {"/static/{filename}", "/docs/assets/{filename}"}  # what pages are made of


def test_every_route_is_in_the_documentation(app: Flask) -> None:
    named = {path for code in inline(API) for path in re.findall(r"/[^\s`?]*", code)}
    assert {path for _, path in routes(app)} - FILES <= named


def test_routes_of_the_documentation_exist(app: Flask) -> None:
    real = set(routes(app))
    for page in PAGES:
        for code in inline(read(page)):
            if found := re.match(r"(GET|POST) (/[^\s?]*)", code):
                assert found.groups() in real, (page, code)


def test_the_table_of_bodies_is_the_codes() -> None:
    rows = re.findall(r"^\| (`POST .*?) \| (.*?) \| .*? \| .*? \| (\w+) \|$", API, re.MULTILINE)
    told = [
        (path, tuple(re.findall(r"`(.*?)`", fields)), errors.lower())
        for paths, fields, errors in rows
        for path in re.findall(r"`POST (/\S+)`", paths)
    ]
    assert told
    assert sorted(told) == sorted((form.path, form.fields, form.dialect.value) for form in FORMS)


def test_every_json_route_takes_a_body_of_the_table(app: Flask) -> None:
    posts = {path for path, name in endpoints(app) if name.startswith("api.")}
    assert posts == {form.path for form in FORMS}
    assert {form.dialect for form in FORMS if form.path == "/predict_batch"} == {OURS}


def endpoints(app: Flask) -> Iterator[tuple[str, str]]:
    for rule in app.url_map.iter_rules():
        if "POST" in rule.methods:
            yield str(rule), rule.endpoint


def test_every_error_is_in_the_documentation() -> None:
    rows = re.findall(r"^\| ([\d, ]+) \| (.*?) \|", API, re.MULTILINE)
    told = {(status, kind) for statuses, kinds in rows for status in statuses.split(", ") for kind in typed(kinds)}
    real = {(str(status), kind) for _, status, kind in STATUSES if status != 499}  # which nobody reads
    assert real <= told
    elsewhere = {"request_timeout", "internal_error"}  # of the front, and of what nobody expected
    assert {kind for _, kind in told} == {kind for _, kind in real} | elsewhere


def routes(app: Flask) -> Iterator[tuple[str, str]]:
    for rule in app.url_map.iter_rules():
        path = re.sub(r"<(?:path:)?(\w+)>", r"{\1}", str(rule)).replace("{model}", "{id}")
        yield from ((method, path) for method in rule.methods & {"GET", "POST"})


def typed(cell: str) -> list[str]:
    return re.findall(r"`(\w+)`", cell)
