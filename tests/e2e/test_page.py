"""What a visitor sees, in a real browser on the real server."""

import json
import re
import subprocess
from shutil import which

import pytest

from tests.e2e.conftest import Server

NEGATIVE = "这部电影太烂了，完全浪费时间"
POSITIVE = "房间很干净，服务也非常好，下次还会来"


def verdict(page) -> str:
    """The label that the page shows, once it shows a new one."""
    page.wait_for_selector("#result .answer")
    return page.inner_text(".verdict strong")


def analyse(page, text: str) -> str:
    page.evaluate("document.querySelector('#result').replaceChildren()")
    page.fill("#text", text)
    page.click(".primary")
    return verdict(page)


def analyse_plainly(page, text: str) -> str:
    page.fill("#text", text)
    page.click(".primary")  # playwright waits for the page that this brings
    return verdict(page)


def error_text(page) -> str:
    page.wait_for_selector("#error p")
    return page.inner_text("#error")


def test_a_text_is_judged_in_place(visit, server_url):
    seen = visit(server_url)
    page = seen.page
    page.evaluate("window.notReloaded = true")

    assert analyse(page, NEGATIVE) == "负面"
    assert float(page.inner_text(".verdict b").rstrip("%")) > 50
    bars = page.eval_on_selector_all(".bars meter", "all => all.map(m => [m.ariaLabel, m.value, m.max])")
    assert {name for name, _, _ in bars} == {"正面", "负面"}
    assert sum(value for _, value, _ in bars) == pytest.approx(1, abs=1e-4)
    assert re.fullmatch(r"用时 [\d.]+ 毫秒，其中服务器 [\d.]+ 毫秒", page.inner_text(".took .time"))
    assert page.inner_text(".took code") == "sentiment"
    assert not page.is_visible(".truncated")
    analyse(page, NEGATIVE)
    assert page.inner_text(".took .cache") == "来自缓存"

    assert analyse(page, POSITIVE) == "正面"
    history = page.locator("#history li").all_inner_texts()
    assert len(history) == 2
    assert POSITIVE in history[0]
    assert "负面" in history[1]
    assert page.evaluate("window.notReloaded")
    assert seen.complaints == []


def test_the_keyboard_is_enough(visit, server_url):
    page = visit(server_url).page
    page.keyboard.type(NEGATIVE)  # the field has the focus already
    page.keyboard.press("Control+Enter")
    assert verdict(page) == "负面"


def test_an_example_and_the_history_can_be_clicked(visit, server_url):
    page = visit(server_url).page
    page.click(".chips button >> nth=0")
    first = verdict(page)
    analyse(page, POSITIVE)
    page.click("#history li >> nth=1 >> button")
    page.wait_for_function("label => document.querySelector('.verdict strong').textContent === label", arg=first)
    assert page.input_value("#text") == page.get_attribute(".chips button >> nth=0", "value")
    page.click("text=清空")
    assert not page.is_visible("#history")


def test_a_blank_text_is_explained(visit, server_url):
    seen = visit(server_url)
    page = seen.page
    analyse(page, NEGATIVE)
    page.fill("#text", "  \n ")
    page.keyboard.press("Control+Enter")
    assert "没有可以分析的文字" in error_text(page)
    assert page.locator("#result .answer").count() == 0
    assert page.get_attribute("#text", "aria-invalid") == "true"
    assert seen.complaints == []


def test_truncation_is_told(visit, server_url):
    page = visit(server_url).page
    analyse(page, "很好" * 2000)
    assert "后面的部分没有参与判断" in page.inner_text(".truncated")


def test_a_body_over_the_limit_is_explained_and_not_sent(visit, server_url):
    seen = visit(server_url)
    seen.page.evaluate("document.querySelector('#text').value = '好'.repeat(1_500_000)")
    seen.page.click(".primary")
    assert "最多 4 MB" in error_text(seen.page)
    assert seen.complaints == []


def test_an_overloaded_server_is_explained(visit, server_url):
    page = visit(server_url).page
    answer = {"error": {"type": "overloaded", "message": "the queue is full"}}
    page.route("**/predict", lambda route: route.fulfill(status=503, json=answer))
    page.fill("#text", POSITIVE)
    page.click(".primary")
    assert "请过几秒再试" in error_text(page)
    assert "queue" not in error_text(page)  # one language at a time
    page.unroute("**/predict")
    page.click("text=再试一次")
    assert verdict(page) == "正面"


def test_a_server_killed_in_the_middle_of_a_request_is_explained_and_asked_again(
    visit, doomed_server, tmp_path, tiny_models
):
    page = visit(doomed_server.url).page
    analyse(page, POSITIVE)
    page.fill("#text", NEGATIVE)
    doomed_server.stop()
    with page.expect_request("**/predict"):
        page.click(".primary")
    page.wait_for_selector("#form[aria-busy=true]")
    doomed_server.kill()
    assert "连不上服务器" in error_text(page)
    page.click("#error button")
    page.wait_for_selector("#form[aria-busy=false]")
    assert "连不上服务器" in error_text(page)

    revived = Server(tmp_path / "second log", tiny_models, doomed_server.port)
    try:
        page.click("#error button")
        assert verdict(page) == "负面"
        assert not page.is_visible("#error p")
    finally:
        revived.kill()


@pytest.mark.skipif(which("curl") is None, reason="curl is not installed")
def test_the_copied_curl_command_works(visit, server_url):
    page = visit(server_url, permissions=["clipboard-read", "clipboard-write"]).page
    text = f'it\'s "{NEGATIVE}"\n$HOME `id` \\'
    page.fill("#text", text)
    page.click("#curl")
    page.wait_for_selector("text=已复制")
    command = page.evaluate("navigator.clipboard.readText()")
    done = subprocess.run(["sh", "-c", command], capture_output=True, timeout=30, check=True)
    assert json.loads(done.stdout)["text"] == text


def test_the_plain_form_works_without_scripts(visit, server_url):
    seen = visit(server_url, java_script_enabled=False)
    page = seen.page
    assert analyse_plainly(page, f"{NEGATIVE}\n<b>真的</b>") == "负面"
    assert page.input_value("#text") == f"{NEGATIVE}\n<b>真的</b>"
    assert page.locator(".bars meter").count() == 2
    assert "毫秒" in page.inner_text(".took")
    assert page.inner_text(".took .cache") in ("来自缓存", "未用缓存")
    assert page.inner_text(".took code") == "sentiment"
    assert not page.is_visible("#curl")

    page.click(".chips button >> nth=1")
    assert verdict(page) in ("正面", "负面")

    page.fill("#text", " ")
    with page.expect_response(server_url + "/") as answer:
        page.click(".primary")
    assert answer.value.status == 422
    assert "没有可以分析的文字" in error_text(page)


def test_the_page_fits_a_small_phone(visit, server_url):
    page = visit(server_url, viewport={"width": 320, "height": 640}).page
    analyse(page, POSITIVE * 5)
    assert page.evaluate("document.documentElement.scrollWidth") <= 320


def test_the_api_page_shows_operations_and_tries_one(visit, server_url):
    seen = visit(server_url + "/docs")
    page = seen.page
    page.wait_for_selector(".opblock")
    paths = page.locator(".opblock-summary-path").all_inner_texts()
    assert {"/predict", "/predict_batch"} <= {path.replace("\u200b", "") for path in paths}
    operation = page.locator(".opblock-post", has_text="/predict").first
    operation.locator(".opblock-summary-control").click()
    operation.get_by_role("button", name="Try it out").click()
    operation.get_by_role("button", name="Execute").click()
    operation.locator(".live-responses-table td.response-col_status", has_text="200").wait_for()
    assert seen.complaints == []


def test_several_lines_are_judged_one_by_one_or_taken_to_the_page_for_files(visit, server_url):
    seen = visit(server_url)
    page = seen.page
    assert not page.is_visible("#lines")
    page.fill("#text", f"{NEGATIVE}\n\n{POSITIVE}\n这家店早上九点开门")
    page.check("[name=each]")
    page.click(".primary")
    page.wait_for_selector(".ranking li")
    assert page.locator(".ranking .text").all_inner_texts() == [NEGATIVE, POSITIVE, "这家店早上九点开门"]
    assert page.locator(".note").all_inner_texts() == ["负面", "正面", "没有明显倾向"]
    assert page.locator(".groups span").all_inner_texts() == ["负面 1", "正面 1", "没有明显倾向 1"]
    assert page.inner_text("#history .tag") == "负面 1 · 正面 1 · 没有明显倾向 1"
    page.click("#lines a")
    page.wait_for_selector("#preview td")
    assert POSITIVE in page.inner_text("#preview table")
    assert seen.complaints == []


def test_the_words_that_decided_are_marked(visit, server_url):
    seen = visit(server_url)
    page = seen.page
    analyse(page, f"😀{NEGATIVE}")
    page.click(".why button")
    page.wait_for_selector(".explained mark")
    assert page.inner_text(".explained") == f"😀{NEGATIVE}"
    heaviest = page.locator(".explained mark[data-weight='3']").all_inner_texts()
    assert heaviest
    assert all(len(word) > 0 and word in NEGATIVE for word in heaviest)
    assert "烂" in "".join(page.locator(".explained mark").all_inner_texts())
    assert seen.complaints == []


def test_a_server_that_hangs_is_told_of_and_can_be_left(visit, doomed_server):
    page = visit(doomed_server.url).page
    page.fill("#text", POSITIVE)
    doomed_server.stop()
    page.click(".primary")
    page.wait_for_selector("#wait :text('已经等了 5 秒')")
    page.click("#wait button")
    assert page.get_attribute("#form", "aria-busy") == "false"
    assert not page.is_visible("#wait")
    assert not page.is_visible("#error p")


def test_a_fault_of_the_page_itself_is_told_in_words(visit, server_url):
    seen = visit(server_url)
    page = seen.page
    page.route("**/predict", lambda route: route.fulfill(status=200, json={"unexpected": True}))
    page.fill("#text", POSITIVE)
    page.click(".primary")
    assert "页面出了点问题" in error_text(page)
    assert "undefined" not in page.inner_text("main")


def test_a_failure_of_the_server_names_the_request(visit, server_url):
    page = visit(server_url).page
    answer = {"error": {"type": "internal_error", "message": "the server failed on this request; its log says why"}}
    page.route("**/predict", lambda route: route.fulfill(status=500, json=answer, headers={"X-Request-ID": "abc123"}))
    page.fill("#text", POSITIVE)
    page.click(".primary")
    assert "请求编号 abc123" in error_text(page)


def test_a_browser_without_clipboard_shows_the_command(visit, server_url):
    page = visit(server_url).page
    page.evaluate("Object.defineProperty(navigator, 'clipboard', {value: undefined})")  # as on a plain http host
    page.fill("#text", POSITIVE)
    page.click("#curl")
    page.wait_for_selector("#curl-command:has-text('curl -X POST')")
    assert POSITIVE in page.evaluate("String(getSelection())")
