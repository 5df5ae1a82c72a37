"""Language and colours, changed as a visitor does."""

import re

import pytest

TEXT = "这部电影太烂了，完全浪费时间"
GROUND = "getComputedStyle(document.body).backgroundColor"
LIGHT, DARK = "rgb(246, 246, 244)", "rgb(21, 24, 27)"
CHINESE = re.compile(r"[\u4e00-\u9fff]")


def wait_for_page(page, heading: str) -> None:
    """Until its scripts ran, too: they bring back what was typed when the heading is there already."""
    page.wait_for_selector(f"h1:text-is('{heading}')")
    page.wait_for_load_state()


def test_english_is_one_click_away_and_keeps_what_was_typed(visit, tiny_url):
    seen = visit(tiny_url)
    page = seen.page
    page.fill("#text", TEXT)
    page.click("text=English")
    wait_for_page(page, "A thousand Chinese reviews, read for you")
    assert page.input_value("#text") == TEXT
    page.click(".primary")
    page.wait_for_selector(".verdict strong:text-is('Negative')")
    assert not CHINESE.search(page.inner_text("#result"))
    page.click("nav a:text-is('Rerank')")
    wait_for_page(page, "Reranking of search results")
    page.click("text=中文")
    wait_for_page(page, "搜索结果重排")
    assert seen.complaints == []


def test_a_browser_that_speaks_english_gets_it(visit, tiny_url):
    page = visit(tiny_url, locale="en-GB").page
    assert page.inner_text("h1") == "A thousand Chinese reviews, read for you"
    page.click(".primary")
    page.wait_for_selector("#error :text('There is no text')")


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_colours_follow_the_system_until_they_are_chosen(visit, tiny_url, scripts):
    seen = visit(tiny_url, color_scheme="dark", java_script_enabled=scripts)
    page = seen.page
    page.evaluate("window.notReloaded = true")
    assert page.evaluate(GROUND) == DARK
    page.click("#themes a >> nth=1")
    page.wait_for_selector("#themes a[aria-current] >> nth=0")
    assert page.evaluate(GROUND) == LIGHT
    assert bool(page.evaluate("window.notReloaded")) == scripts
    page.click("nav a:text-is('分类')")
    wait_for_page(page, "按自己的类别分类")
    assert page.evaluate(GROUND) == LIGHT
    page.click("#themes a >> nth=0")
    page.wait_for_selector("#themes [data-theme=auto][aria-current]")
    assert page.evaluate(GROUND) == DARK
    assert seen.complaints == []


@pytest.mark.parametrize(("theme", "is_dark"), [("dark", True), ("light", False), ("auto", False)])
def test_the_docs_page_has_the_chosen_colours(visit, tiny_url, theme, is_dark):
    page = visit(f"{tiny_url}/docs?theme={theme}").page
    page.wait_for_selector(".opblock")
    assert page.locator("html.dark-mode").count() == is_dark
