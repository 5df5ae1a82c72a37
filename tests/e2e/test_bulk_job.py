"""Jobs that are left, that meet a server in trouble, and what can be done with their rows."""

import csv
import io

import pytest

from tests.e2e.conftest import Server
from tests.e2e.test_accessible import light_and_dark, violations
from tests.e2e.test_bulk import csv_of, download, put, put_texts, start, wait_for
from training.finetune.table import read_table

POLLING = 20


def open_page(visit, url: str):
    page = visit(f"{url}/ui/bulk").page
    page.wait_for_selector("#job")
    return page


def wait_until(page, expression: str) -> None:
    page.wait_for_function(f"() => {expression}", polling=POLLING)


def score(page) -> None:
    page.click("#choices .primary")
    wait_for(page, "done")


def test_a_job_survives_its_tab_and_every_row_is_there_once(visit, tiny_url):
    page = open_page(visit, tiny_url)
    texts = [f"第{i}道菜{'很' * (i % 7)}好吃" for i in range(640)]
    put_texts(page, texts)
    held: list = []

    def on_request(route) -> None:
        held.append(route)
        if len(held) <= 3:
            route.continue_()

    page.route("**/predict_batch", on_request)
    start(page)
    wait_until(page, "Number(document.querySelector('[data-tile=done] dd').textContent) === 192")
    page.wait_for_timeout(700)  # it is kept every half second; what is held stays so until the tab is closed
    second = page.context.new_page()  # another tab finds the job taken
    second.goto(page.url)
    second.wait_for_selector("#job")
    second.wait_for_timeout(300)
    assert not second.is_visible("#offer")
    page.close()
    second.reload()
    second.wait_for_selector("#offer")
    assert "640 行中完成了 192 行" in second.inner_text("#offer-said")
    asked: list[str] = []
    second.on("request", lambda request: asked.append(request.url) if request.url.endswith("/predict_batch") else None)
    second.click("#offer-go")
    wait_for(second, "done")
    assert len(asked) == (640 - 192) / 64  # no row is asked about again
    rows = download(second)
    assert [row["id"] for row in rows] == list(map(str, range(640)))
    assert all(row["分数"] for row in rows)

    second.reload()
    second.wait_for_selector("#offer")
    second.click("#offer-go")
    wait_for(second, "done")
    assert download(second) == rows
    second.reload()
    second.wait_for_selector("#offer")
    second.click("#offer-remove")
    second.wait_for_selector("#offer", state="hidden")
    second.reload()
    second.wait_for_selector("#job")
    second.wait_for_timeout(300)
    assert not second.is_visible("#offer")


def test_a_server_that_hangs_is_told_and_goes_on(visit, doomed_server, tmp_path, tiny_models):
    page = open_page(visit, doomed_server.url)
    put_texts(page, ["很好", "很差"])
    doomed_server.stop()
    page.click("#choices .primary")
    page.wait_for_selector("#error :text('5 秒没有回答')")
    doomed_server.kill()
    page.wait_for_selector("#error :text('连不上服务器')")
    page.wait_for_selector("#next")
    assert "后再试" in page.inner_text("#next")
    revived = Server(tmp_path / "second log", tiny_models, doomed_server.port)
    try:
        page.evaluate("document.querySelector('#try-now').click()")
        wait_for(page, "done")
        assert page.inner_text("#error") == ""
        assert not page.is_visible("#next")
    finally:
        revived.kill()


def test_a_quota_and_a_lost_network_say_what_happens_next(visit, tiny_url):
    page = open_page(visit, tiny_url)
    put_texts(page, ["很好", "很差"])
    answer = {"error": {"type": "rate_limited", "message": "slowly"}}
    page.route("**/predict_batch", lambda route: route.fulfill(status=429, headers={"Retry-After": "60"}, json=answer))
    page.click("#choices .primary")
    page.wait_for_selector("#error :text('请求太频繁')")
    assert "分" in page.inner_text("#next") or "秒后再试" in page.inner_text("#next")
    page.unroute("**/predict_batch")
    page.context.set_offline(True)
    page.click("#try-now")
    page.wait_for_selector("#error :text('网络断开了')")
    page.context.set_offline(False)
    wait_for(page, "done")


TEXTS = ["味道不错", "物流太慢", "电池不耐用", "很满意", "一般", "", "客服没人理", "味道不错！"]


@pytest.fixture
def scored(visit, tiny_url):
    page = open_page(visit, tiny_url)
    put(
        page,
        "a.csv",
        csv_of([["日期", "评论"], *([f"2026-01-{i + 1:02}", text] for i, text in enumerate(TEXTS))]).encode(),
    )
    score(page)
    return page


def shown(page) -> list[str]:
    return page.eval_on_selector_all(".rows [data-row] td:nth-child(2)", "all => all.map((one) => one.textContent)")


def test_rows_are_searched_filtered_and_sorted(scored):
    page = scored
    assert shown(page) == TEXTS
    page.fill("#search", "味道")
    assert shown(page) == ["味道不错", "味道不错！"]
    page.click("#show-all")
    wait_until(page, "document.querySelectorAll('.rows [data-row]').length === 8")
    page.select_option("#filter-group", "blank")
    assert shown(page) == [""]
    page.select_option("#filter-group", "")
    page.click(".rows th[data-sort=score] button")
    scores = page.eval_on_selector_all(
        ".rows [data-row] td:nth-child(4)", "all => all.map((one) => parseFloat(one.textContent))"
    )
    assert scores[:7] == sorted(scores[:7])
    assert page.get_attribute(".rows th[data-sort=score]", "aria-sort") == "ascending"
    page.fill("#least", str(scores[3] + 0.05))
    assert len(shown(page)) <= 4
    page.fill("#most", "1")
    assert shown(page) == []
    assert page.is_visible("#no-matches")


def test_a_row_in_detail_and_its_label_corrected(scored, tmp_path):
    page = scored
    page.click(".rows [data-row] button >> nth=1")
    page.wait_for_selector("#detail[open]")
    assert "物流太慢" in page.inner_text("#detail .text")
    page.wait_for_function("() => !document.querySelector('#detail .why').textContent.includes('正在')")
    assert violations(page) == []
    page.check("#labels-given input[value=Negative]")
    page.click("#row-after")
    page.check("#labels-given input[value=Positive]")
    page.keyboard.press("Escape")
    assert "✎" in page.inner_text(".rows [data-row='1']")
    with page.expect_download() as wanted:
        page.click("#training")
    file = tmp_path / "labels.csv"
    file.write_bytes(wanted.value.path().read_bytes())
    rows = list(csv.DictReader(io.StringIO(file.read_text(encoding="utf-8-sig"))))
    assert rows == [{"text": "物流太慢", "label": "Negative"}, {"text": "电池不耐用", "label": "Positive"}]
    assert read_table(file, ("text", "label"), print) == [tuple(row.values()) for row in rows]
    assert {row["改正后的标签"] for row in download(page)} == {"", "负面", "正面"}
    page.reload()
    page.click("#offer-go")
    wait_for(page, "done")
    assert "✎" in page.inner_text(".rows [data-row='2']")


def test_insight_of_all_rows(scored):
    page = scored
    assert "味道不错" in page.inner_text("#copies-list")
    assert page.is_visible("#time-chart canvas")
    page.click("#time summary")
    assert page.locator("#time-table tbody tr").count() == 8
    page.click("#aspects-go")
    wait_until(page, "document.querySelector('#aspects-go').textContent === '分析各个方面'")
    assert light_and_dark(page) == []
    for button in page.query_selector_all("#insight [data-keep]"):
        if not button.is_visible():
            continue
        with page.expect_download() as wanted:
            button.click()
        assert wanted.value.path().read_bytes().startswith(b"\x89PNG")
    page.click("#copies-list button")
    assert shown(page) == ["味道不错", "味道不错！"]
    assert page.is_visible("#only")


# In the page and not by a route: in Firefox, Playwright does not get to see what was asked.
ANSWERS = """vectors => {
  const probabilities = {Negative: 0.9, Positive: 0.1};
  const negative = {label: "Negative", score: 0.9, probabilities, neutral: 0.0, uncertain: false, truncated: false};
  window.fetch = async (url, {body}) => {
    const {texts} = JSON.parse(body);
    const isEmbed = url.pathname === "/embed";
    return Response.json(isEmbed ? {embeddings: texts.map(text => vectors[text[0]])} : texts.map(() => negative));
  };
}"""


def test_complaints_in_groups(visit, tiny_url):
    page = open_page(visit, tiny_url)
    kinds = ["物流太慢了，等了八天", "电池不耐用，半天就没电", "客服没人理，态度差"]
    put_texts(page, [f"{kinds[i % 3]}{'。' * (i // 3)}" for i in range(60)])
    page.evaluate(ANSWERS, {"物": [1, 0.1, 0], "电": [0, 1, 0.1], "客": [0.1, 0, 1]})
    score(page)
    page.click("#clusters-go")
    page.wait_for_selector("#clusters-list li")
    names = page.locator("#clusters-list > li > .name").all_inner_texts()
    assert len(names) == 3
    assert sorted(next(word for word in ("物流", "电池", "客服") if word in name) for name in names) == [
        "客服",
        "物流",
        "电池",
    ]
    page.click("#clusters-list button >> nth=0")
    assert "20" in page.inner_text("#matches")
