"""The plain forms of the other four tasks, without a browser."""

import re

import pytest
from flask.testing import FlaskClient

from structbert_lite.web.pages import PANELS, Panel

FORMS = {
    "/ui/similarity": {"text_a": "今天天气很好", "text_b": "外面阳光明媚"},
    "/ui/classify": {"text": "什么时候有货", "labels": "咨询，投诉", "hypothesis_template": "这是{}"},
    "/ui/rerank": {"query": "怎么样", "documents": "不知道\r\n好"},
    "/ui/embed": {"texts": "今天天气很好\r\n外面阳光明媚"},
}
FIELDS = [(path, field) for path, form in FORMS.items() for field in form if field != "hypothesis_template"]


@pytest.mark.parametrize("path", FORMS)
def test_a_form_answers_with_a_page(tiny_client: FlaskClient, path: str) -> None:
    answer = tiny_client.post(path, data=FORMS[path])
    page = answer.get_data(as_text=True)
    assert answer.status_code == 200
    assert page.count('<article class="answer">') == 2  # the answer, and the script's blank one
    assert all(value.replace("\r\n", "\n") in page for value in FORMS[path].values())


@pytest.mark.parametrize(("path", "field"), FIELDS)
def test_a_blank_field_is_told_kindly_and_marked(tiny_client: FlaskClient, path: str, field: str) -> None:
    answer = tiny_client.post(path, data=FORMS[path] | {field: " \r\n"})
    page = answer.get_data(as_text=True)
    assert (answer.status_code, answer.mimetype) == (422, "text/html")
    assert re.findall(r'name="(\w+)"[^>]*aria-invalid="true"', page) == [field]


@pytest.mark.parametrize("path", FORMS)
def test_an_empty_form_is_told_kindly(tiny_client: FlaskClient, path: str) -> None:
    answer = tiny_client.post(path)
    assert (answer.status_code, answer.mimetype) == (422, "text/html")


def test_a_template_without_its_place(tiny_client: FlaskClient) -> None:
    answer = tiny_client.post("/ui/classify", data=FORMS["/ui/classify"] | {"hypothesis_template": "没有位置"})
    assert answer.status_code == 422
    assert "这个句子里要有 {}" in answer.get_data(as_text=True)
    assert "<details open>" in answer.get_data(as_text=True)


@pytest.mark.parametrize(
    ("path", "form", "limit"),
    [
        ("/ui/similarity", {"text_a": "好", "text_b": "好\n" * 65}, "64 条"),
        ("/ui/rerank", {"query": "好", "documents": "好\n" * 65}, "64 条"),
        ("/ui/embed", {"texts": "好\n" * 31}, "30 条"),
    ],
)
def test_too_many_texts(tiny_client: FlaskClient, path: str, form: dict, limit: str) -> None:
    answer = tiny_client.post(path, data=form)
    assert answer.status_code == 413
    assert limit in answer.get_data(as_text=True)


@pytest.mark.parametrize("path", FORMS)
def test_truncation_is_told(tiny_client: FlaskClient, path: str) -> None:
    first = next(iter(FORMS[path]))
    page = tiny_client.post(path, data=FORMS[path] | {first: "好" * 2000}).get_data(as_text=True)
    result = page[page.index('id="result"') : page.index('id="examples"')]
    assert '<p class="truncated">' in result


@pytest.mark.parametrize("path", FORMS)
def test_what_was_typed_is_text_and_never_markup(tiny_client: FlaskClient, path: str) -> None:
    form = {field: f"<script>{value}" for field, value in FORMS[path].items()}
    page = tiny_client.post(path, data=form).get_data(as_text=True)
    assert "<script>" not in page
    assert "&lt;script&gt;" in page


@pytest.mark.parametrize("panel", PANELS, ids=lambda panel: panel.name)
def test_the_navigation_knows_where_it_is(tiny_client: FlaskClient, panel: Panel) -> None:
    page = tiny_client.get(panel.path).get_data(as_text=True)
    assert re.findall(r'href="([^"]+)" aria-current="page"', page) == [panel.path]
    assert "absent" not in page
    assert all(f'href="{other.path}"' in page for other in PANELS)
