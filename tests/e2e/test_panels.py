"""The panels of the other tasks, used as a visitor does, on a server with tiny models."""

import json
import subprocess
from shutil import which

import pytest

PAGES = ["/ui/similarity", "/ui/classify", "/ui/rerank", "/ui/embed", "/ui/aspects"]
SENTENCES = "今天天气很好\n外面阳光明媚\n我想退款\n怎么申请退货\n这部电影很感人"


def submit(page) -> None:
    """Clicks the button and waits for the new answer."""
    page.evaluate("document.querySelector('#result').replaceChildren()")
    page.click(".primary")
    page.wait_for_selector("#result .answer")


def submit_plainly(page) -> None:
    page.click(".primary")  # playwright waits for the page that this brings
    page.wait_for_selector("#result .answer")


def fill(page, **fields) -> None:
    for name, value in fields.items():
        page.fill(f"#{page.get_attribute(f'[name={name}]', 'data-shown') or name}", value)


def scores(page, rows: str) -> list[float]:
    return page.eval_on_selector_all(f"#result {rows} meter", "all => all.map(meter => meter.value)")


def shown(page) -> list[str]:
    """Everything that the answer says, but for the time it took and what scripts alone can do."""
    return page.eval_on_selector_all(
        "#result :is(strong, b, .text, .name, .percent, .note, th, td, .map text, .gauge text)",
        "all => all.filter(one => !one.closest('[hidden]')).map(one => one.textContent)",
    )


def vectors(page) -> list:
    return [json.loads(text) for text in page.locator(".vectors pre").all_text_contents()]


def test_all_tasks_are_a_link_away(visit, tiny_url):
    seen = visit(tiny_url)
    page = seen.page
    names = page.locator("nav li:not(.other) a").all_inner_texts()
    for name in names:
        page.click(f"nav a:text-is('{name}')")
        page.wait_for_selector(f"nav a[aria-current]:text-is('{name}')")
        page.click(".chips button >> nth=0")
        page.wait_for_selector("#result .answer")
    assert len(names) == 6
    assert seen.complaints == []


def test_two_texts_are_compared(visit, tiny_url):
    seen = visit(tiny_url + PAGES[0])
    page = seen.page
    page.evaluate("window.notReloaded = true")
    fill(page, text_a="今天天气很好", text_b="外面阳光明媚")
    submit(page)
    assert page.inner_text(".verdict strong") in ("相似", "有些相似", "不相似")
    score = page.inner_text(".verdict b")
    assert page.get_attribute(".needle", "cx") == score
    assert score in page.get_attribute(".gauge", "aria-label")
    assert {"40.0%", "70.0%"} <= set(page.locator(".gauge text").all_text_contents())
    assert not page.is_visible(".ranking")
    assert "毫秒" in page.inner_text(".took")
    assert page.locator("#history li").count() == 1
    assert page.evaluate("window.notReloaded")
    assert seen.complaints == []


def test_one_text_against_many_is_sorted(visit, tiny_url):
    page = visit(tiny_url + PAGES[0]).page
    fill(page, text_a="我想退款", text_b=SENTENCES + "\n\n")
    submit(page)
    assert sorted(page.locator(".ranking .text").all_inner_texts()) == sorted(SENTENCES.split("\n"))
    assert scores(page, ".ranking") == sorted(scores(page, ".ranking"), reverse=True)
    assert not page.is_visible(".single")


def test_own_labels_are_scored(visit, tiny_url):
    seen = visit(tiny_url + PAGES[1])
    page = seen.page
    fill(page, text="什么时候有货", labels="咨询，投诉、建议，咨询")
    submit(page)
    found = scores(page, ".bars")
    assert len(found) == 3
    assert found == sorted(found, reverse=True)
    assert sum(found) == pytest.approx(1, abs=1e-4)

    page.check("[name=multi_label]")
    submit(page)
    assert sum(scores(page, ".bars")) != pytest.approx(1, abs=1e-4)

    page.click(".clear")
    assert page.locator(".tokens li").count() == 0
    page.keyboard.type("退货，")
    assert page.locator(".tokens li span").all_inner_texts() == ["退货"]
    assert seen.complaints == []


def test_none_of_the_labels_may_fit_and_a_lead_may_be_too_small(visit, tiny_url):
    page = visit(tiny_url + PAGES[1]).page
    fill(page, text="什么时候有货", labels="咨询，投诉")
    for scores, none, title, calm in (
        ([0.9, 0.1], 0.2, "咨询", False),
        ([0.9, 0.1], 0.7, "都不合适", True),
        ([0.51, 0.49], 0.2, "不确定", True),
    ):
        answer = {
            "text": "什么时候有货",
            "labels": ["咨询", "投诉"],
            "scores": scores,
            "none": none,
            "truncated": False,
        }
        page.route("**/classify", lambda route, _, answer=answer: route.fulfill(json=answer))
        submit(page)
        assert page.inner_text(".verdict strong") == title
        assert page.locator(".answer.calm").count() == calm
        page.unroute("**/classify")


def test_a_long_label_does_not_widen_the_page(visit, tiny_url):
    page = visit(tiny_url + PAGES[1], viewport={"width": 320, "height": 640}).page
    fill(page, text="什么时候有货", labels="a" * 300 + "，" + "咨询" * 100)
    page.check("[name=multi_label]")
    submit(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 320


def test_aspects_of_a_kind_of_review_and_own_ones(visit, server_url):
    seen = visit(server_url + PAGES[4])
    page = seen.page
    fill(page, text="物流很快，就是价格太贵了")
    submit(page)
    assert {"物流：好评", "价格：差评"} <= set(page.locator(".bars .name").all_text_contents())
    fill(page, aspects="价格\t")
    submit(page)
    assert page.locator(".bars .name").all_text_contents() == ["价格：差评"]
    assert seen.complaints == []


def test_thirty_sentences_are_thirty_points_that_cover_none_of_each_other(visit, tiny_url):
    page = visit(tiny_url + PAGES[3], viewport={"width": 320, "height": 640}).page
    fill(page, texts="\n".join(f"第{i}句话说的是{'天气' if i % 2 else '退款'}" for i in range(30)))
    submit(page)
    boxes = page.eval_on_selector_all(
        ".map circle", "all => all.map(one => [one.getBoundingClientRect().x, one.getBoundingClientRect().y])"
    )
    assert len(boxes) == 30
    for i, (x1, y1) in enumerate(boxes):
        assert all((x1 - x2) ** 2 + (y1 - y2) ** 2 >= 18**2 for x2, y2 in boxes[:i])
    assert page.locator(".names li").count() == 30
    assert page.evaluate("document.documentElement.scrollWidth") <= 320


def test_a_template_without_its_place_is_explained_where_it_is(visit, tiny_url):
    page = visit(tiny_url + PAGES[1]).page
    fill(page, text="什么时候有货", labels="咨询")
    page.click("summary")
    fill(page, hypothesis_template="没有位置")
    page.click("summary")
    page.click(".primary")
    page.wait_for_selector("#error p")
    assert "要有 {}" in page.inner_text("#error")
    assert page.is_visible("[name=hypothesis_template][aria-invalid=true]:focus")


def test_passages_are_put_in_order_and_say_where_they_were(visit, tiny_url):
    seen = visit(tiny_url + PAGES[2])
    page = seen.page
    fill(page, query="怎么样", documents="不知道\n\n好的，\n很好\n\n好")
    assert page.inner_text("#documents-count") == "共 4 段，2 个空行不算。"
    page.check("[name=blocks]")
    assert page.inner_text("#documents-count") == "共 3 段。"
    submit(page)
    assert page.locator(".ranking .text").all_inner_texts() == ["好的，\n很好", "好", "不知道"]
    assert page.locator(".note").all_inner_texts() == ["↑ 原第 2 段", "↑ 原第 3 段", "↓ 原第 1 段"]
    assert seen.complaints == []


def test_a_blank_cell_of_a_pasted_column_keeps_its_place(visit, tiny_url):
    page = visit(tiny_url + PAGES[2]).page
    fill(page, query="怎么样", documents='不知道\n\n"好的，\n很好"\n好\n')
    submit(page)
    found = dict(
        zip(page.locator(".ranking .text").all_inner_texts(), page.locator(".note").all_inner_texts(), strict=True)
    )
    assert {text: note.strip("↑↓ ") for text, note in found.items()} == {
        "不知道": "原第 1 段",
        "好的，\n很好": "原第 3 段",
        "好": "原第 4 段",
    }


def test_sentences_become_a_map_a_table_and_vectors(visit, tiny_url):
    seen = visit(tiny_url + PAGES[3], permissions=["clipboard-read", "clipboard-write"])
    page = seen.page
    fill(page, texts=SENTENCES)
    submit(page)
    assert page.locator(".map circle").count() == 5
    assert page.locator("tbody th").all_text_contents()[0] == "1 今天天气很好"
    assert page.locator("tbody td").count() == 25
    assert page.locator("tbody tr >> nth=2 >> td >> nth=2").inner_text() == "1.00"
    page.click(".vectors summary")
    page.click(".vectors li >> nth=1 >> button")
    page.wait_for_selector(".vectors :text('已复制')")
    vector = json.loads(page.evaluate("navigator.clipboard.readText()"))
    assert sum(number**2 for number in vector) == pytest.approx(1, abs=1e-5)
    assert seen.complaints == []


def test_more_sentences_than_the_map_holds_are_explained_and_not_sent(visit, tiny_url):
    seen = visit(tiny_url + PAGES[3])
    fill(seen.page, texts="\n".join(f"第{i}句" for i in range(31)))
    seen.page.click(".primary")
    seen.page.wait_for_selector("#error p")
    assert "30 条" in seen.page.inner_text("#error")
    assert seen.complaints == []


@pytest.mark.parametrize("path", PAGES)
def test_an_example_says_the_same_with_and_without_scripts(visit, tiny_url, path):
    page = visit(tiny_url + path).page
    plain = visit(tiny_url + path, java_script_enabled=False).page
    for i in range(page.locator(".chips button").count()):
        page.evaluate("document.querySelector('#result').replaceChildren()")
        page.click(f".chips button >> nth={i}")
        page.wait_for_selector("#result .answer")
        plain.click(f".chips button >> nth={i}")
        plain.wait_for_selector("#result .answer")
        assert shown(page) == shown(plain)
        assert vectors(page) == vectors(plain)
        assert page.input_value("form >> nth=0 >> [name] >> nth=0") == plain.input_value(
            "form >> nth=0 >> [name] >> nth=0"
        )


def test_the_map_is_the_same_with_and_without_scripts(visit, tiny_url):
    places = []
    for scripts in (True, False):
        page = visit(tiny_url + PAGES[3], java_script_enabled=scripts).page
        fill(page, texts=SENTENCES)
        submit_plainly(page)
        found = "all => all.map(one => [parseFloat(one.getAttribute('cx')), +one.getAttribute('cy')])"
        places.append(page.eval_on_selector_all(".map circle", found))
    for one, other in zip(*places, strict=True):
        assert one == pytest.approx(other, abs=0.5)


@pytest.mark.parametrize("path", PAGES)
def test_blank_fields_are_explained(visit, tiny_url, path):
    seen = visit(tiny_url + path)
    seen.page.keyboard.press("Control+Enter")  # the first field has the focus already
    seen.page.wait_for_selector("#error p")
    assert seen.page.locator("form [aria-invalid=true]:focus").count() == 1
    assert seen.complaints == []


@pytest.mark.parametrize("path", PAGES)
def test_the_history_brings_every_field_back(visit, tiny_url, path):
    page = visit(tiny_url + path).page
    read = "[...document.querySelectorAll('#form [name]')].map(one => [one.value, one.checked])"
    page.click(".chips button >> nth=-1")
    page.wait_for_selector("#result .answer")
    before = page.evaluate(read)
    page.click(".chips button >> nth=0")
    page.wait_for_selector("#history li >> nth=1")
    page.click("#history li >> nth=1 >> button")
    page.wait_for_selector("#result .answer")
    assert page.evaluate(read) == before


@pytest.mark.skipif(which("curl") is None, reason="curl is not installed")
@pytest.mark.parametrize("path", PAGES)
def test_the_copied_curl_command_works(visit, tiny_url, path):
    page = visit(tiny_url + path, permissions=["clipboard-read", "clipboard-write"]).page
    page.click("#curl")  # nothing is filled in: it takes the first example
    page.wait_for_selector("text=已复制")
    command = page.evaluate("navigator.clipboard.readText()")
    done = subprocess.run(["sh", "-c", command], capture_output=True, timeout=30, check=True)
    assert "error" not in json.loads(done.stdout)


@pytest.mark.parametrize("path", PAGES)
def test_a_panel_fits_a_small_phone(visit, tiny_url, path):
    page = visit(tiny_url + path, viewport={"width": 320, "height": 640}).page
    for i in range(page.locator(".chips button").count()):
        page.evaluate("document.querySelector('#result').replaceChildren()")
        page.click(f".chips button >> nth={i}")
        page.wait_for_selector("#result .answer")
        assert page.evaluate("document.documentElement.scrollWidth") <= 320


@pytest.mark.parametrize("path", PAGES)
def test_nothing_is_squeezed_or_pushed_apart_on_a_small_phone(visit, tiny_url, path):
    page = visit(f"{tiny_url}{path}?lang=en", viewport={"width": 320, "height": 640}).page
    page.wait_for_selector("#curl")
    for box in page.locator("[type=checkbox]").all():
        assert box.bounding_box()["width"] == box.bounding_box()["height"]
    form, examples = page.locator("#form").bounding_box(), page.locator("#examples").bounding_box()
    assert examples["y"] - (form["y"] + form["height"]) <= 32  # no gap for an answer that is not there


@pytest.mark.parametrize("path", PAGES)
def test_the_default_models_answer_or_are_named_as_missing(visit, server_url, path):
    page = visit(server_url + path).page
    if page.is_enabled(".primary"):
        page.click(".chips button >> nth=0")
        page.wait_for_selector("#result .answer")
    else:
        assert "还没有安装" in page.inner_text("#error")
        assert "python -m export --task" in page.inner_text("#error")
