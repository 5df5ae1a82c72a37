"""API keys and the Host header, on every route there is."""

import base64
import logging
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app import create_app
from structbert_lite.errors import ConfigurationError
from structbert_lite.settings import Settings
from structbert_lite.web.access import OPEN

KEY, OTHER = "correct-horse-battery", "a=b:c/d+e"
QUESTION = {"text": "好"}


def basic(password: str, user: str = "") -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


@pytest.fixture(scope="module")
def keyed_app(tiny_models: Path) -> Flask:
    return create_app(Settings(models=tiny_models, load="lazy", api_keys=f"{KEY},{OTHER}"))


@pytest.fixture
def keyed(keyed_app: Flask) -> FlaskClient:
    return keyed_app.test_client()


def every_route(app: Flask) -> Iterator[tuple[str, str, str]]:
    """(endpoint, method, a path that leads to it)."""
    for rule in app.url_map.iter_rules():
        for method in rule.methods - {"HEAD", "OPTIONS"}:
            yield rule.endpoint, method, re.sub("<.*?>", "x", rule.rule)


def test_no_route_but_the_open_ones_answers_without_a_key(keyed_app: Flask, keyed: FlaskClient) -> None:
    closed = [(method, path) for endpoint, method, path in every_route(keyed_app) if endpoint not in OPEN]
    assert {("POST", "/predict"), ("GET", "/models"), ("GET", "/metrics"), ("GET", "/"), ("POST", "/")} <= set(closed)
    for method, path in [*closed, ("GET", "/no-such-route"), ("DELETE", "/predict")]:
        for headers in ({}, {"X-API-Key": "wrong"}):
            answer = keyed.open(path, method=method, headers=headers)
            assert answer.status_code == 401, (method, path)
            challenges = answer.headers.getlist("WWW-Authenticate")
            assert [challenge.split()[0] for challenge in challenges] == ["Bearer", "Basic"], (method, path)


@pytest.mark.parametrize("route", ["/livez", "/readyz", "/health"])
def test_a_probe_with_a_wrong_method_is_told_so_without_a_key(keyed: FlaskClient, route: str) -> None:
    assert keyed.open(route, method="TRACE").status_code == 405


@pytest.mark.parametrize("route", ["/livez", "/readyz", "/health", "/static/style.css", "/docs/assets/js/none.js"])
def test_probes_and_published_files_need_no_key(keyed: FlaskClient, route: str) -> None:
    assert keyed.get(route).status_code != 401


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": f"Bearer {KEY}"},
        {"Authorization": f"bearer  {OTHER}"},
        {"Authorization": f"Bearer {OTHER}"},
        {"X-API-Key": KEY},
        {"X-API-Key": OTHER},
        {"Authorization": basic(KEY)},
        {"Authorization": basic(OTHER, "anybody")},
        {"Authorization": basic("the proxy's own", "proxy"), "X-API-Key": KEY},
    ],
)
def test_each_key_opens_each_way(keyed: FlaskClient, headers: dict) -> None:
    answer = keyed.post("/predict", json=QUESTION, headers=headers)
    assert (answer.status_code, answer.get_json()["text"]) == (200, "好")


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": ""},
        {"Authorization": "Bearer"},
        {"Authorization": f"Bearer {KEY[:-1]}"},
        {"Authorization": f"Bearer {KEY},{OTHER}"},
        {"Authorization": f"Token {KEY}"},
        {"Authorization": KEY},
        {"Authorization": "Basic !"},
        {"Authorization": basic("", KEY)},
        {"X-API-Key": ""},
        {"X-API-Key": "密钥".encode().decode("latin-1")},
        {"Cookie": f"key={KEY}"},
    ],
)
def test_everything_else_is_refused(keyed: FlaskClient, headers: dict) -> None:
    answer = keyed.post(f"/predict?api_key={KEY}", json=QUESTION, headers=headers)
    assert (answer.status_code, answer.get_json()["error"]["type"]) == (401, "unauthorized")
    assert KEY not in answer.get_data(as_text=True)


def test_a_refused_browser_is_told_what_to_do(keyed: FlaskClient) -> None:
    answer = keyed.get("/ui/rerank")
    assert (answer.status_code, answer.mimetype) == (401, "text/html")
    assert "密码" in answer.get_data(as_text=True)
    assert 'href="/ui/rerank"' in answer.get_data(as_text=True)


def test_the_plain_form_works_with_the_key_that_the_browser_keeps(keyed: FlaskClient) -> None:
    answer = keyed.post("/", data={"text": "这部电影太烂了"}, headers={"Authorization": basic(KEY)})
    assert answer.status_code == 200
    assert "负面" in answer.get_data(as_text=True)


def test_keys_never_reach_the_log(keyed: FlaskClient, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        for key in (KEY, "wrong-" + OTHER):
            for headers in ({"Authorization": f"Bearer {key}"}, {"X-API-Key": key}, {"Authorization": basic(key)}):
                keyed.post("/predict", json=QUESTION, headers=headers)
                keyed.post("/predict", data="{", content_type="application/json", headers=headers)
                keyed.get("/no-such-route", headers=headers)
    assert KEY not in caplog.text
    assert OTHER not in caplog.text


def test_the_description_tells_how_to_send_a_key(keyed: FlaskClient, client: FlaskClient) -> None:
    document = keyed.get("/openapi.json", headers={"X-API-Key": KEY}).get_json()
    assert {next(iter(way)) for way in document["security"]} == set(document["components"]["securitySchemes"])
    assert document["paths"]["/livez"]["get"]["security"] == []
    assert "security" not in document["paths"]["/predict"]["post"]
    assert {"/predict", "/models", "/metrics"} <= {
        path for path, methods in document["paths"].items() if "401" in next(iter(methods.values()))["responses"]
    }
    assert "security" not in client.get("/openapi.json").get_json()


@pytest.mark.parametrize("host", ["localhost", "localhost:8080", "LocalHost.", "127.0.0.1:1", "[::1]:5000", "10.1.2.3"])
def test_on_loopback_without_keys_this_machine_is_answered(client: FlaskClient, host: str) -> None:
    assert client.get("/models", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:5000", "localhost.evil.example", "", "a b", "x@localhost"]
)
def test_on_loopback_a_name_that_was_pointed_here_is_not(client: FlaskClient, host: str) -> None:
    for answer in (client.get("/", headers={"Host": host}), client.post("/predict", json={}, headers={"Host": host})):
        assert (answer.status_code, answer.get_json()["error"]["type"]) == (421, "misdirected_request")
        assert "STRUCTBERT_ALLOWED_HOSTS" in answer.get_json()["error"]["message"]


def test_with_keys_or_in_public_any_name_will_do(keyed: FlaskClient, tiny_models: Path) -> None:
    public = create_app(Settings(models=tiny_models, load="lazy", host="0.0.0.0", allow_public_without_keys=True))
    assert public.test_client().get("/models", headers={"Host": "any.example"}).status_code == 200
    assert keyed.get("/models", headers={"Host": "any.example", "X-API-Key": KEY}).status_code == 200


def test_names_from_the_settings(tiny_models: Path) -> None:
    settings = Settings(models=tiny_models, load="lazy", api_keys=KEY, allowed_hosts="a.example, B.example")
    client = create_app(settings).test_client()
    asked = {"a.example": 200, "b.EXAMPLE:443": 200, "c.example": 421, "localhost": 421, "127.0.0.1:5000": 200}
    for host, status in asked.items():
        assert client.get("/readyz", headers={"Host": host}).status_code == status


def test_in_public_without_a_key_there_is_no_application(tiny_models: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"0\.0\.0\.0 is reachable from other machines"):
        create_app(Settings(models=tiny_models, load="lazy", host="0.0.0.0"))


def test_in_public_without_a_key_the_log_warns(tiny_models: Path, caplog: pytest.LogCaptureFixture) -> None:
    create_app(Settings(models=tiny_models, load="lazy", host="0.0.0.0", allow_public_without_keys=True))
    assert "there are no API keys" in caplog.text
