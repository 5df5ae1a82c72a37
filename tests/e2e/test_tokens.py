"""Labels as chips."""

import pytest

TEXT = "什么时候有货"


@pytest.fixture
def page(visit, tiny_url):
    seen = visit(f"{tiny_url}/ui/classify")
    yield seen.page
    assert seen.complaints == []


def chips(page) -> list[str]:
    return page.locator(".tokens li span").all_inner_texts()


def test_enter_and_commas_add_and_the_cross_removes(page):
    page.fill("#text", TEXT)
    page.click("label:text-is('类别')")
    page.keyboard.type("咨询，投诉,建议")
    assert chips(page) == ["咨询", "投诉"]
    page.keyboard.press("Enter")
    assert chips(page) == ["咨询", "投诉", "建议"]
    page.keyboard.type("投诉、")
    assert chips(page) == ["咨询", "投诉", "建议"]
    page.keyboard.type("半个")
    page.get_by_role("button", name="移除 投诉").click()  # what is being written is no reason to lose the click
    assert chips(page) == ["咨询", "建议", "半个"]
    page.get_by_role("button", name="移除 建议").focus()
    page.keyboard.press("Enter")
    assert chips(page) == ["咨询", "半个"]
    assert page.evaluate("document.activeElement.ariaLabel") == "移除 半个"
    page.focus("#labels-new")
    page.keyboard.press("Backspace")
    assert chips(page) == ["咨询"]


def test_what_is_still_being_written_counts(page):
    page.fill("#text", TEXT)
    page.focus("#labels-new")
    page.keyboard.type("咨询，投诉")
    page.keyboard.press("Control+Enter")
    page.wait_for_selector("#result .answer")
    assert sorted(page.locator("#result .bars .name").all_inner_texts()) == ["咨询", "投诉"]
    assert chips(page) == ["咨询", "投诉"]


def test_the_click_that_ends_writing_is_not_lost(visit, tiny_url):
    page = visit(f"{tiny_url}/ui/classify", viewport={"width": 320, "height": 640}).page
    page.wait_for_load_state()
    page.fill("#text", TEXT)
    page.fill("#labels-new", "咨询和建议一类的话，投诉和抱怨一类的话")  # chips need more lines: the button moves
    page.click(".primary")
    page.wait_for_selector("#result .answer")
    assert chips(page) == ["咨询和建议一类的话", "投诉和抱怨一类的话"]


def test_pasted_lines_become_chips(page):
    page.focus("#labels-new")
    page.evaluate(
        """() => {
          const text = "咨询\\n投诉；建议\\n", clipboardData = new DataTransfer();
          clipboardData.setData("text/plain", text);
          const firefox = {data: text, dataType: "text/plain"}; // which takes no clipboardData from a script
          const paste = new ClipboardEvent("paste", {clipboardData, cancelable: true, ...firefox});
          document.activeElement.dispatchEvent(paste);
        }"""
    )
    assert chips(page) == ["咨询", "投诉", "建议"]


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("width", [320, 1440])
def test_what_to_write_is_not_cut_off_behind_chips(visit, tiny_url, language, width):
    page = visit(f"{tiny_url}/ui/classify?lang={language}", viewport={"width": width, "height": 640}).page
    page.wait_for_selector("#labels-new")
    for labels in ("屏幕，电池，价格，物流", "屏幕，电池，价格，物流，外观与做工", "屏幕，电池，"):
        page.fill("#labels-new", f"{labels}，")
        assert page.eval_on_selector(
            "#labels-new",
            """input => {
              const style = getComputedStyle(input), canvas = document.createElement("canvas").getContext("2d");
              canvas.font = style.font;
              const room = input.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
              return room >= canvas.measureText(input.placeholder).width;
            }""",
        )


def test_a_missing_label_is_marked_where_it_is_written(page):
    page.fill("#text", TEXT)
    page.click(".primary")
    page.wait_for_selector("#error p")
    assert page.is_visible("#labels-new[aria-invalid=true]:focus")


def test_examples_and_history_bring_their_chips(page):
    page.click(".chips button >> nth=0")
    page.wait_for_selector("#result .answer")
    first = chips(page)
    page.click(".chips button >> nth=1")
    page.wait_for_selector("#history li >> nth=1")
    assert chips(page) != first
    page.click("#history li >> nth=1 >> button")
    page.wait_for_selector("#result .answer")
    assert chips(page) == first


def test_without_scripts_the_field_is_a_field(visit, tiny_url):
    page = visit(f"{tiny_url}/ui/classify", java_script_enabled=False).page
    assert page.is_visible("textarea[name=labels]")
    assert not page.is_visible(".tokens")
