"""The pages of a server that needs a key, which the browser asks for and keeps."""

import pytest

from tests.e2e.test_accessible import light_and_dark

KEY = {"username": "", "password": "sesame"}
PAIR = {"text_a": "今天天气很好", "text_b": "外面阳光明媚"}


def ask(page) -> None:
    for field, text in PAIR.items():
        page.fill(f"[name={field}]", text)
    page.click(".primary")


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_a_page_works_once_the_browser_has_the_key(visit, keyed_url, scripts):
    seen = visit(f"{keyed_url}/ui/similarity", http_credentials=KEY, java_script_enabled=scripts)
    page = seen.page
    ask(page)
    page.wait_for_selector("#result .answer")
    assert not page.is_visible("#error p")
    assert seen.complaints == []


def test_the_copied_command_has_a_place_for_the_key(visit, keyed_url):
    page = visit(f"{keyed_url}/ui/similarity", http_credentials=KEY).page
    page.evaluate("Object.defineProperty(navigator, 'clipboard', {value: undefined})")
    page.click("#curl")
    page.wait_for_selector("#curl-command:has-text('Authorization: Bearer $API_KEY')")


def test_the_docs_page_reads_the_description(visit, keyed_url):
    seen = visit(f"{keyed_url}/docs", http_credentials=KEY)
    seen.page.wait_for_selector(".opblock-summary-path[data-path='/predict']")
    assert seen.page.is_visible(".authorize")
    assert seen.complaints == []


def test_with_a_wrong_key_the_page_says_what_is_missing(visit, keyed_url):
    page = visit(f"{keyed_url}/ui/similarity", http_credentials=KEY | {"password": "wrong"}).page
    assert page.inner_text("h1") == "需要密钥"
    assert page.get_attribute("main a", "href") == "/ui/similarity"
    page.click("#language")
    page.wait_for_selector("h1:text('A key is needed')")


def test_that_page_takes_the_key_and_the_browser_keeps_it_for_all_others(visit, keyed_url):
    page = visit(f"{keyed_url}/ui/similarity", http_credentials=KEY | {"password": "wrong"}).page
    assert page.is_visible("#key-field:focus")
    for key, words in (("两个", "没有空格"), ("sesam", "密钥不对")):
        page.fill("#key-field", key)
        page.keyboard.press("Enter")
        page.wait_for_selector(f"#key-said:text('{words}')")
    assert light_and_dark(page) == []
    page.fill("#key-field", "sesame")
    page.keyboard.press("Enter")
    page.wait_for_selector("#text_a")
    ask(page)
    page.wait_for_selector("#result .answer")
    page.goto(f"{keyed_url}/ui/status")
    page.wait_for_selector(".uplot >> nth=0")
    assert "sesame" not in page.evaluate(
        "JSON.stringify([localStorage, sessionStorage]) + document.cookie + location.href"
    )


def test_a_key_that_was_replaced_is_given_on_the_page_and_kept_in_its_tab(visit, keyed_url):
    seen = visit(f"{keyed_url}/ui/similarity", http_credentials=KEY)
    page = seen.page
    sent = []

    def refuse_the_old_one(route) -> None:
        sent.append(route.request.headers.get("x-api-key"))
        if sent[-1] == "sesame":
            route.continue_()
        else:
            refusal = {"error": {"type": "unauthorized", "message": "this is not one of the server's API keys"}}
            route.fulfill(status=401, json=refusal)

    page.route(
        "**/similarity",
        lambda route: refuse_the_old_one(route) if route.request.method == "POST" else route.continue_(),
    )
    ask(page)
    page.wait_for_selector("#error :text('密钥')")
    assert page.is_visible("#key-field:focus")
    page.fill("#key-field", "两 个")
    page.keyboard.press("Enter")
    page.wait_for_selector("#key [role=status]:text('没有空格')")
    page.fill("#key-field", "sesame")
    page.keyboard.press("Enter")
    page.click("#error button")
    page.wait_for_selector("#result .answer")
    assert sent == [None, "sesame"]
    assert page.evaluate("sessionStorage.getItem('structbert-key')") == "sesame"
    assert "sesame" not in page.evaluate("JSON.stringify(localStorage) + document.cookie")
    page.click("#key .quiet")
    assert page.evaluate("sessionStorage.getItem('structbert-key')") is None


def test_where_no_key_is_needed_there_is_no_field_for_one(visit, tiny_url):
    assert visit(f"{tiny_url}/ui/similarity").page.locator("#key").count() == 0
