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
    "/ui/aspects": {"text": "物流很快，就是价格太贵了", "domain": "shop"},
}
FIELDS = [
    (path, field) for path, form in FORMS.items() for field in form if field not in ("hypothesis_template", "domain")
]


@pytest.mark.parametrize("path", FORMS)
def test_a_form_answers_with_a_page(tiny_client: FlaskClient, path: str) -> None:
    answer = tiny_client.post(path, data=FORMS[path])
    page = answer.get_data(as_text=True)
    assert answer.status_code == 200
    assert page.count('<article class="answer') == 2  # the answer, and the script's blank one
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


def card(client: FlaskClient, path: str, form: dict[str, str]) -> str:
    page = client.post(f"{path}?lang=zh", data=form).text.partition("<template")[0]
    return re.search(r"<article.*</article>", page, re.DOTALL)[0]


@pytest.mark.parametrize(
    ("path", "field"), [("/ui/rerank", "documents"), ("/ui/similarity", "text_b")], ids=["rerank", "similarity"]
)
def test_a_blank_cell_keeps_its_place_in_the_column(tiny_client: FlaskClient, path: str, field: str) -> None:
    column = '一\r\n\r\n"三\r\n又三"\r\n四'
    shown = card(tiny_client, path, FORMS[path] | {field: column})
    texts = re.findall(r'<p class="text" lang="zh">(.*?)</p>', shown, re.DOTALL)
    numbers = [int(number) for number in re.findall(r'<span class="note">\D*(\d+)', shown)]
    assert dict(zip(texts, numbers, strict=True)) == {"一": 1, "三\n又三": 3, "四": 4}


def test_passages_of_several_lines_where_that_was_asked_for(tiny_client: FlaskClient) -> None:
    form = FORMS["/ui/rerank"] | {"documents": "一\r\n又一\r\n\r\n二", "blocks": "on"}
    texts = re.findall(r'<p class="text" lang="zh">(.*?)</p>', card(tiny_client, "/ui/rerank", form), re.DOTALL)
    assert set(texts) == {"一\n又一", "二"}


def test_labels_come_from_a_row_of_a_spreadsheet(tiny_client: FlaskClient) -> None:
    shown = card(tiny_client, "/ui/classify", FORMS["/ui/classify"] | {"labels": "咨询\t投诉\t建议\t"})
    names = re.findall(r'<span class="name" aria-hidden="true">(.*?)</span>', shown)
    assert set(names) == {"咨询", "投诉", "建议"}


@pytest.mark.parametrize("apart", [{}, {"multi_label": "on"}], ids=["one", "several"])
def test_a_label_is_only_named_where_it_fits(tiny_client: FlaskClient, apart: dict[str, str]) -> None:
    """The tiny model answers nonsense, so that all cases occur."""
    kinds = set()
    for text in ("什么时候有货", "好", "坏", "不知道", "今天天气很好", "外面阳光明媚", "我想退款", "快", "慢"):
        body = {"text": text, "labels": ["咨询", "投诉"], "none": True, "multi_label": bool(apart)}
        answer = tiny_client.post("/classify", json=body).json
        shown = card(
            tiny_client, "/ui/classify", {"text": text, "labels": "咨询，投诉", "hypothesis_template": "{}"} | apart
        )
        title = re.search(r"<strong>(.*?)</strong>", shown)[1]
        if apart:
            fit = [label for label, score in zip(answer["labels"], answer["scores"], strict=True) if score >= 0.5]
            expected = "、".join(fit) or "都不合适"
        elif answer["none"] >= 0.5:
            expected = "都不合适"
        else:
            expected = answer["labels"][0] if answer["scores"][0] - answer["scores"][1] > 0.3 else "不确定"
        assert title == expected
        kinds.add(expected)
    assert len(kinds) > 1
