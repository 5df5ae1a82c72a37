"""Language and colours of the pages, chosen without a script."""

import json
import re

import pytest
from flask.testing import FlaskClient

from structbert_lite.settings import PROJECT
from structbert_lite.web.pages import PANELS

ROUTES = ["/docs", "/ui/status", *(panel.path for panel in PANELS)]
CHINESE = re.compile(r"[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]")
EXAMPLES = {"examples", "placeholder"}  # what these show is Chinese in any language


def texts(language: str) -> dict:
    return json.loads((PROJECT / "templates" / f"texts.{language}.json").read_text(encoding="utf-8"))


def leaves(node: object, path: str = "") -> dict[str, str]:
    """Each string by its path."""
    if isinstance(node, str):
        return {path: node}
    items = node.items() if isinstance(node, dict) else enumerate(node)
    return {name: text for key, value in items for name, text in leaves(value, f"{path}/{key}").items()}


def places(text: str) -> list[str]:
    return sorted(re.findall(r"\{\w*\}", text))


def language_of(client: FlaskClient, path: str = "/", **headers: str) -> str:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return re.search(r'<html lang="(\w+)', client.get(path, headers=names).get_data(as_text=True))[1]


def test_every_language_has_the_same_texts_with_the_same_places() -> None:
    chinese, english = leaves(texts("zh")), leaves(texts("en"))
    assert chinese.keys() == english.keys()
    assert {path for path, text in chinese.items() if places(text) != places(english[path])} == set()


def test_nothing_is_left_untranslated() -> None:
    left = {path for path, text in leaves(texts("en")).items() if CHINESE.search(text)}
    assert {path for path in left if not EXAMPLES & set(path.split("/"))} == set()
    same = {path for path, text in leaves(texts("zh")).items() if text == leaves(texts("en"))[path]}
    assert {path for path in same if CHINESE.search(leaves(texts("zh"))[path])} <= left


@pytest.mark.parametrize("route", ROUTES)
def test_an_english_page_has_no_chinese_but_examples(tiny_client: FlaskClient, route: str) -> None:
    page = tiny_client.get(f"{route}?lang=en").get_data(as_text=True)
    assert '<html lang="en"' in page
    examples = re.compile(
        r'<[^>]*lang="zh"[^>]*>[^<]*|<input type="hidden"[^>]*>| data-texts=\'[^\']*\'| value="[^"]*"'
    )
    assert not CHINESE.search(examples.sub("", page))


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        ("en-US,en;q=0.9,zh-CN;q=0.8", "en"),
        ("en", "en"),
        ("fr,en;q=0.5", "en"),
        ("fr", "zh"),
        ("", "zh"),
        ("*", "zh"),
        ("zh-Hant-TW", "zh"),
        ("not a language;;;", "zh"),
    ],
)
def test_the_browser_says_the_language(client: FlaskClient, accepted: str, language: str) -> None:
    assert language_of(client, Accept_Language=accepted) == language


def test_a_chosen_language_is_kept(client: FlaskClient) -> None:
    answer = client.get("/?lang=en", headers={"Accept-Language": "zh-CN"})
    assert "SameSite=Lax" in answer.headers["Set-Cookie"]
    assert {"Accept-Language", "Cookie"} <= set(answer.vary)
    assert language_of(client, "/ui/similarity", Accept_Language="zh-CN") == "en"
    assert language_of(client, "/?lang=zh", Accept_Language="en") == "zh"
    assert language_of(client, Accept_Language="en") == "zh"


def test_without_cookies_the_links_keep_the_language(tiny_client: FlaskClient) -> None:
    page = tiny_client.get("/?lang=en").get_data(as_text=True)
    assert '<form id="form" method="post" action="/?lang=en"' in page
    assert all(f'href="{panel.path}?lang=en"' in page for panel in PANELS)
    tiny_client.delete_cookie("structbert-lang")
    answer = tiny_client.post("/?lang=en", data={"text": "这部电影太烂了，完全浪费时间"}).get_data(as_text=True)
    assert "Negative" in answer
    assert "负面" not in answer


def test_errors_are_in_the_chosen_language(client: FlaskClient) -> None:
    answer = client.post("/?lang=en", data={"text": " "})
    assert answer.status_code == 422
    assert "There is no text to analyse" in answer.get_data(as_text=True)


@pytest.mark.parametrize("value", ["", "fr", "zh'\"><script>", "../../etc/passwd"])
def test_an_unknown_choice_is_none(client: FlaskClient, value: str) -> None:
    answer = client.get("/", query_string={"lang": value, "theme": value})
    assert "Set-Cookie" not in answer.headers
    assert '<html lang="zh-CN" data-theme="auto">' in answer.get_data(as_text=True)
    client.set_cookie("structbert-lang", value)
    assert language_of(client) == "zh"


@pytest.mark.parametrize(
    ("theme", "media"), [("auto", "(prefers-color-scheme: dark)"), ("light", "not all"), ("dark", "all")]
)
def test_colours_are_chosen_and_kept(client: FlaskClient, theme: str, media: str) -> None:
    client.get(f"/?theme={theme}")
    page = client.get("/docs").get_data(as_text=True)
    assert f'data-theme="{theme}"' in page
    page = client.get("/").get_data(as_text=True)
    assert f'id="dark" media="{media}"' in page
    assert re.findall(r'data-theme="(\w+)"[^>]*aria-current', page) == [theme]


def test_answers_of_the_api_set_no_cookie(client: FlaskClient) -> None:
    answer = client.post("/predict?lang=en", json={"text": "好"})
    assert "Set-Cookie" not in answer.headers
