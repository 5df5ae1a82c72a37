"""What answers tell a browser, and what a browser cannot be made to send."""

import io
import re

import pytest
import werkzeug.formparser
from flask import Flask
from flask.testing import FlaskClient

from structbert_lite.web.pages import PANELS

PAGES = ["/docs", "/ui/status", *(panel.path for panel in PANELS)]


@pytest.mark.parametrize("route", PAGES)
def test_a_page_is_locked_down(tiny_client: FlaskClient, route: str) -> None:
    answer = tiny_client.get(route)
    policy = dict(rule.split(" ", 1) for rule in answer.headers["Content-Security-Policy"].split("; "))
    assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == policy["form-action"] == "'self'"
    assert set(policy.values()) == {"'none'", "'self'", "'self' data:"}
    assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert "camera=()" in answer.headers["Permissions-Policy"]


@pytest.mark.parametrize("route", PAGES)
def test_a_page_has_nothing_inline(tiny_client: FlaskClient, route: str) -> None:
    page = tiny_client.get(route).get_data(as_text=True)
    assert not re.search(r"<style|\sstyle\s*=|\son\w+\s*=|javascript:|<base", page, re.IGNORECASE)
    assert not re.search(r"<script(?![^>]*\ssrc=)", page)


@pytest.mark.parametrize("route", ["/", "/models", "/livez", "/metrics", "/no-such-route", "/static/style.css"])
def test_every_answer_keeps_out_of_other_sites(client: FlaskClient, route: str) -> None:
    headers = client.get(route).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "Server" not in headers


FROM_A_SITE = {"Origin": "https://shop.example"}  # a browser says it with every POST


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""]
)
def test_a_form_of_another_site_cannot_post_to_a_json_route(tiny_app: Flask, kind: str) -> None:
    """Without asking first (CORS), a browser sends these types alone."""
    client = tiny_app.test_client()
    routes = {
        rule.rule
        for rule in tiny_app.url_map.iter_rules()
        if "POST" in rule.methods and not rule.endpoint.startswith("ui.")
    }
    assert {"/predict", "/predict_batch", "/similarity", "/embed", "/classify", "/rerank"} <= routes
    for route in routes:
        answer = client.post(
            re.sub("<.*?>", "x", route), data='{"text": "好", "inputs": "好"}', content_type=kind, headers=FROM_A_SITE
        )
        assert answer.status_code == 415, route


@pytest.mark.parametrize("mark", [{"Origin": "https://shop.example"}, {"Sec-Fetch-Site": "cross-site"}, {}])
def test_json_without_a_type_is_taken_from_other_services_clients_and_from_no_browser(
    tiny_client: FlaskClient, mark: dict
) -> None:
    """The client litellm sends none; a script of another site may, and says where it comes from."""
    for path, data in [("/v1/embeddings", '{"input": "好"}'), ("/tei/embedding", '{"inputs": "好"}')]:
        answer = tiny_client.post(path, data=data.encode(), headers=mark)
        assert "Content-Type" not in answer.request.headers
        assert answer.status_code == (415 if mark else 200), path
    assert tiny_client.post("/embed", data='{"inputs": "好"}'.encode(), headers=mark).status_code == 415


@pytest.mark.parametrize("panel", PANELS, ids=lambda panel: panel.name)
def test_a_file_is_refused_before_a_byte_of_it_is_kept(
    tiny_client: FlaskClient, monkeypatch: pytest.MonkeyPatch, panel: object
) -> None:
    def opened(*args: object, **kwargs: object) -> None:
        raise AssertionError("a temporary file")

    monkeypatch.setattr(werkzeug.formparser, "SpooledTemporaryFile", opened)
    upload = (io.BytesIO(b"x" * 600_000), "../../etc/passwd")
    answer = tiny_client.post(panel.path, data={panel.fields[0]: "好", "upload": upload})
    assert (answer.status_code, answer.mimetype) == (415, "text/html")
    assert "不收文件" in answer.get_data(as_text=True)
