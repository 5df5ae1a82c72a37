"""axe-core finds nothing to complain about, light or dark, before an answer and after it, with an error."""

from pathlib import Path

import pytest

AXE = (Path(__file__).with_name("vendor") / "axe-core" / "axe.min.js").read_text(encoding="utf-8")
FOCUSED = """() => {
  const one = document.activeElement;
  // The chips' box has the outline of the field in it.
  const shown = one.closest(".tokens input") ? one.closest(".tokens") : one;
  return [[...document.querySelectorAll("*")].indexOf(one), getComputedStyle(shown).outlineStyle !== "none"];
}"""
PANELS = ["/", "/ui/similarity", "/ui/classify", "/ui/rerank", "/ui/embed", "/ui/aspects"]


def violations(page) -> list[str]:
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE)
    found = page.evaluate("axe.run({resultTypes: ['violations']}).then(({violations}) => violations)")
    return [f"{one['id']}: {node['html']} {node['failureSummary']}" for one in found for node in one["nodes"]]


def light_and_dark(page) -> list[str]:
    found = []
    for theme in ("light", "dark"):
        page.click(f"#themes [data-theme={theme}]")
        found += [f"{theme} {one}" for one in violations(page)]
    return found


@pytest.mark.parametrize("path", PANELS)
def test_a_panel(visit, tiny_url, path):
    seen = visit(tiny_url + path)
    seen.page.click(".primary")
    seen.page.wait_for_selector("#error p")
    assert violations(seen.page) == []
    seen.page.click(".chips button >> nth=-1")
    seen.page.wait_for_selector("#history li")
    assert light_and_dark(seen.page) == []
    assert seen.complaints == []


def test_the_status_page(visit, tiny_url):
    page = visit(f"{tiny_url}/ui/status?lang=en").page
    page.wait_for_selector(".uplot >> nth=-1", state="attached")
    assert light_and_dark(page) == []


def test_a_page_that_is_not_there(visit, tiny_url):
    assert light_and_dark(visit(f"{tiny_url}/nope").page) == []


def test_marked_words_and_several_lines(visit, tiny_url):
    page = visit(tiny_url).page
    page.fill("#text", "这部电影太烂了\n房间干净")
    page.click(".primary")
    page.click(".why button")
    page.wait_for_selector(".explained:not([hidden])")
    assert light_and_dark(page) == []
    page.check("[name=each]")
    page.click(".primary")
    page.wait_for_selector(".ranking li")
    assert light_and_dark(page) == []


def test_the_page_for_those_without_a_key(visit, keyed_url):
    page = visit(keyed_url, http_credentials={"username": "", "password": "wrong"}).page
    assert violations(page) == []


@pytest.mark.parametrize("path", PANELS)
def test_the_keyboard_reaches_everything_in_order(visit, tiny_url, path):
    page = visit(tiny_url + path).page
    page.focus(".skip")
    reachable = page.evaluate(
        """() => [...document.querySelectorAll("a[href], button, input, textarea, summary, [tabindex='0']")]
          .filter((one) => !one.disabled && one.type !== "hidden" && one.checkVisibility()).length"""
    )
    seen = []
    for _ in range(reachable):
        place, outlined = page.evaluate(FOCUSED)
        assert outlined
        seen.append(place)
        page.keyboard.press("Tab")
    assert seen == sorted(set(seen))
    assert len(seen) == reachable
