"""The choice among several models of a task."""

import io
import shutil

import openpyxl
import pytest

from tests.e2e.conftest import Server
from tests.e2e.test_accessible import light_and_dark, violations
from tests.tiny_models import make_siamese, make_three_way

NAME = "三分类-b"


@pytest.fixture(scope="module")
def several_url(tmp_path_factory, tiny_models):
    models = tmp_path_factory.mktemp("several")
    shutil.copytree(tiny_models, models, dirs_exist_ok=True)
    make_three_way(models / NAME)
    make_siamese(models / "similarity-b", pooling="cls", thresholds={"low": 0.1, "high": 0.2})
    server = Server(models.with_name("several.log"), models, ALTERNATIVES=f"{NAME},similarity-b")
    yield server.url
    server.kill()


def ask(page, text):
    """The body that the page sends, and the model that its answer names."""
    page.fill("[name=text]", text)
    with page.expect_request(lambda request: request.method == "POST") as sent:
        page.click(".primary")
    page.wait_for_selector("#form[aria-busy=false]")
    return sent.value.post_data_json, page.inner_text("#result .took code")


@pytest.mark.parametrize("path", ["/", "/ui/similarity", "/ui/classify", "/ui/bulk"])
def test_with_one_model_there_is_no_choice(visit, tiny_url, path):
    seen = visit(tiny_url + path)
    assert seen.page.locator("[name=model]:visible").count() == 0
    assert seen.complaints == []


@pytest.mark.parametrize(("locale", "default"), [("zh-CN", "sentiment（默认）"), ("en-GB", "sentiment (default)")])
def test_the_chosen_model_answers_and_is_kept(visit, several_url, locale, default):
    seen = visit(several_url, locale=locale)
    page = seen.page
    assert page.locator("#model option").all_inner_texts() == [default, NAME]
    assert ask(page, "好好坏") == ({"text": "好好坏"}, "sentiment")
    page.select_option("#model", NAME)
    assert ask(page, "好好坏") == ({"text": "好好坏", "model": NAME}, NAME)
    assert page.inner_text("footer code") == NAME
    # The words that decided are this model's, too.
    with page.expect_request("**/explain") as sent:
        page.click(".why button")
    assert sent.value.post_data_json == {"text": "好好坏", "model": NAME}
    page.wait_for_selector(".explained mark")
    assert violations(page) == []
    # An example says nothing of models; a question from before is asked of the model that it went to.
    page.click(".chips button >> nth=0")
    page.wait_for_selector("#history li >> nth=2")
    assert page.input_value("#model") == NAME
    page.click("#history li >> nth=2 >> button")
    page.locator("#result .took code", has_text="sentiment").wait_for()
    assert page.input_value("#model") == ""
    page.select_option("#model", NAME)
    page.reload()
    assert page.input_value("#model") == NAME
    assert page.inner_text("footer code") == NAME
    page.click("#language")
    assert page.input_value("#model") == NAME
    assert light_and_dark(page) == []
    assert seen.complaints == []


def test_the_answer_is_drawn_with_the_thresholds_of_its_model(visit, several_url):
    seen = visit(several_url + "/ui/similarity")
    page = seen.page
    page.select_option("#model", "similarity-b")
    page.fill("[name=text_a]", "你好")
    page.fill("[name=text_b]", "您好")
    page.click(".primary")
    page.wait_for_selector("#result .gauge")
    assert page.locator("#result .gauge text").all_text_contents()[:2] == ["10.0%", "20.0%"]
    assert seen.complaints == []


def test_without_scripts_the_form_does_the_same(visit, several_url):
    page = visit(several_url, java_script_enabled=False).page
    page.select_option("#model", NAME)
    page.fill("[name=text]", "好好坏")
    page.click(".primary")
    assert page.inner_text("#result .took code") == NAME
    page.click(".chips button >> nth=0")
    assert page.inner_text("#result .took code") == NAME


def test_a_model_that_is_gone_is_told(visit, several_url):
    seen = visit(several_url)
    page = seen.page
    page.evaluate("document.querySelector('#model').append(new Option('gone', 'gone'))")
    page.select_option("#model", "gone")
    page.fill("[name=text]", "好")
    page.click(".primary")
    page.wait_for_selector("#error p")
    assert "这个模型已不再提供" in page.inner_text("#error")
    assert page.get_attribute("#model", "aria-invalid") == "true"


def test_a_whole_file_is_judged_by_the_chosen_model(visit, several_url, tmp_path):
    seen = visit(several_url + "/ui/bulk")
    page = seen.page
    (tmp_path / "file.csv").write_text("评论\n好好坏\n门门\n", encoding="utf-8")
    page.set_input_files("#file", tmp_path / "file.csv")
    page.wait_for_selector("#model")
    page.select_option("#task", "zero-shot")
    assert not page.is_visible("#model")
    page.select_option("#task", "sentiment")
    page.select_option("#model", NAME)
    assert violations(page) == []
    with page.expect_request("**/predict_batch") as sent:
        page.click("#choices .primary")
    assert sent.value.post_data_json == {"texts": ["好好坏", "门门"], "neutral": False, "model": NAME}
    page.wait_for_selector("#run[data-state=done]")
    assert NAME in page.inner_text("#about")
    with page.expect_download() as given:
        page.click("#download")
    rows = list(openpyxl.load_workbook(io.BytesIO(given.value.path().read_bytes())).worksheets[0].values)
    assert [row[0] for row in rows] == ["评论", "好好坏", "门门"]
    assert "无明显态度的概率" in rows[0]
    page.reload()
    page.set_input_files("#file", tmp_path / "file.csv")
    page.wait_for_selector("#model")
    assert page.input_value("#model") == NAME
    assert seen.complaints == []
