"""The plain form, without a browser: what it answers when scripts are off."""

import re
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from app import create_app
from structbert_lite.settings import Settings
from structbert_lite.web.pages import PANELS, Panel


def test_the_form_answers_with_a_page(client: FlaskClient) -> None:
    answer = client.post("/", data={"text": "这部电影太烂了，完全浪费时间"})
    page = answer.get_data(as_text=True)
    assert answer.status_code == 200
    assert "负面" in page
    assert "这部电影太烂了" in page


def test_what_was_typed_is_text_and_never_markup(client: FlaskClient) -> None:
    page = client.post("/", data={"text": "<script>alert(1)</script>好"}).get_data(as_text=True)
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page


@pytest.mark.parametrize("form", [{}, {"text": ""}, {"text": " \r\n"}])
def test_an_empty_form_is_told_kindly(client: FlaskClient, form: dict) -> None:
    answer = client.post("/", data=form)
    assert answer.status_code == 422
    assert answer.mimetype == "text/html"


def test_a_form_over_the_limit(client: FlaskClient) -> None:
    answer = client.post("/", data={"text": "好" * 400_000})
    assert (answer.status_code, answer.mimetype) == (413, "text/html")


@pytest.mark.parametrize("panel", PANELS, ids=lambda panel: panel.name)
def test_without_a_model_the_page_says_so(tmp_path: Path, panel: Panel) -> None:
    client = create_app(Settings(models=tmp_path)).test_client()
    for answer in (client.get(panel.path), client.post(panel.path)):
        assert answer.status_code == 404
        assert f"python -m export --task {panel.models[0]}" in answer.get_data(as_text=True)
        assert '<button class="primary" disabled>' in answer.get_data(as_text=True)


@pytest.mark.parametrize("route", ["/docs", "/ui/bulk", "/ui/status", *(panel.path for panel in PANELS)])
def test_pages_forbid_everything_from_elsewhere(tiny_client: FlaskClient, route: str) -> None:
    answer = tiny_client.get(route)
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert "unsafe" not in answer.headers["Content-Security-Policy"]
    page = answer.get_data(as_text=True)
    assert "https://" not in page.replace("https://github.com", "")
    assert " style=" not in page
    assert "<script>" not in page


def test_the_page_for_whole_files_offers_what_is_served(tiny_client: FlaskClient, tmp_path: Path) -> None:
    page = tiny_client.get("/ui/bulk").get_data(as_text=True)
    assert all(f'<option value="{task}">' in page for task in ("sentiment", "similarity", "zero-shot"))
    page = create_app(Settings(models=tmp_path)).test_client().get("/ui/bulk").get_data(as_text=True)
    assert "还没有安装" in page
    assert "<form" not in page


BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8", "Accept-Language": "zh-CN"}


@pytest.mark.parametrize(
    ("method", "path", "status", "words"),
    [
        ("GET", "/nope", 404, "没有这个页面"),
        ("GET", "/predict", 405, "给程序用的"),
        ("POST", "/docs", 405, "给程序用的"),
    ],
)
def test_a_browser_that_is_lost_gets_a_page(
    tiny_client: FlaskClient, method: str, path: str, status: int, words: str
) -> None:
    answer = tiny_client.open(path, method=method, headers=BROWSER)
    assert (answer.status_code, answer.mimetype) == (status, "text/html")
    assert words in answer.text
    assert 'href="/"' in answer.text
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert "Accept" in answer.vary


def test_a_page_that_is_not_there_changes_its_language(tiny_client: FlaskClient) -> None:
    assert 'href="?lang=en"' in tiny_client.get("/nope", headers=BROWSER).text
    english = tiny_client.get("/nope?lang=en", headers=BROWSER)
    assert "There is no such page" in english.text
    assert "structbert-lang=en" in english.headers["Set-Cookie"]


@pytest.mark.parametrize(
    ("count", "words"), [(0, "0 rows left"), (1, "1 row left"), (2, "2 rows left"), ("1,001", "1,001 rows left")]
)
def test_one_is_no_plural(tiny_client: FlaskClient, count: int | str, words: str) -> None:
    filled = tiny_client.application.jinja_env.filters["filled"]
    assert filled("{count} {count|row|rows} left", count=count) == words
    assert filled("{} {other|a|b} {x}", count=count) == "{} {other|a|b} {x}"


@pytest.mark.parametrize("accept", [None, "*/*", "application/json", "application/json, text/html;q=0.9", "image/png"])
def test_clients_that_are_lost_get_json(tiny_client: FlaskClient, accept: str | None) -> None:
    answer = tiny_client.get("/nope", headers={"Accept": accept} if accept else {})
    assert (answer.status_code, answer.json["error"]["type"]) == (404, "not_found")
    answer = tiny_client.get("/predict", headers={"Accept": accept} if accept else {})
    assert (answer.status_code, answer.json["error"]["type"]) == (405, "method_not_allowed")
    assert "POST" in answer.headers["Allow"]


def test_an_address_is_text_and_never_markup(tiny_client: FlaskClient) -> None:
    assert "<script>alert" not in tiny_client.get("/<script>alert(1)</script>", headers=BROWSER).text


def test_the_first_page_says_what_it_does_and_leads_on(tiny_client: FlaskClient) -> None:
    page = tiny_client.get("/").text
    assert re.search(r"<h1>.*评论.*</h1>", page)
    for path in ("/ui/bulk", "/ui/classify", "/docs", "/ui/similarity", "/ui/rerank", "/ui/embed"):
        assert f'href="{path}"' in page.partition("<main")[2]
    assert "curl http://localhost/predict" in page


def test_errors_are_in_the_language_of_the_page(tiny_client: FlaskClient) -> None:
    page = tiny_client.post("/ui/similarity?lang=zh", data={"text_a": "好", "text_b": ""}).text
    error = re.search(r'<div id="error".*?</div>', page, re.DOTALL)[0]
    assert "两个框都要写上文字" in error
    assert "readable" not in error
