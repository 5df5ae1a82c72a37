"""The page of a sentiment model that knows Neutral, with scripts off."""

import re
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from app import create_app
from structbert_lite.settings import Settings
from tests.tiny_models import make_three_way
from tests.web.test_own_labels import bars


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    make_three_way(folder / "sentiment")
    return folder


@pytest.fixture(scope="module")
def client(models: Path) -> FlaskClient:
    return create_app(Settings(models=models)).test_client()


def card(client: FlaskClient, text: str, lang: str = "zh") -> str:
    page = client.post(f"/?lang={lang}", data={"text": text}).text
    return re.search(r"<article.*?</article>", page.partition("<template")[0], re.DOTALL)[0]


def verdict(client: FlaskClient, text: str, lang: str = "zh") -> tuple[str, str, str, str]:
    """(tone, title, of what, how much)"""
    pattern = r'data-label="(\w+)">\s*<strong>(.*?)</strong>\s*<span><span class="what">(.*?)</span> <b>(.*?)</b>'
    return re.search(pattern, card(client, text, lang)).groups()


@pytest.mark.parametrize(
    ("text", "lang", "expected"),
    [
        ("好好好好", "zh", ("Positive", "正面", "置信度", "98.2%")),
        ("坏坏坏坏", "en", ("Negative", "Negative", "Confidence", "98.2%")),
        ("门门门门好", "zh", ("Neutral", "没有明显倾向", "无明显倾向的概率", "93.6%")),
        ("门门门门好", "en", ("Neutral", "No clear opinion", "Probability of no opinion", "93.6%")),
        ("好好坏", "zh", ("Neutral", "不确定", "偏向“正面”", "73.1%")),
        ("好好坏", "en", ("Neutral", "Uncertain", "Leaning to “Positive”", "73.1%")),
    ],
)
def test_an_answer_says_whether_it_is_one(client: FlaskClient, text: str, lang: str, expected: tuple) -> None:
    assert verdict(client, text, lang) == expected


def test_what_is_not_sure_has_no_colour(client: FlaskClient) -> None:
    assert '<div class="single">' in card(client, "好好好好")
    for text in ("门门门门好", "好好坏"):
        assert '<div class="single calm">' in card(client, text)


def test_the_probability_of_no_opinion_is_told_once(client: FlaskClient) -> None:
    assert '<p class="neutral">无明显倾向的概率 <span>1.8%</span></p>' in card(client, "好好好好")
    assert '<span class="what">无明显倾向的概率</span>' in card(client, "门门门门好")
    assert '<p class="neutral" hidden>' in card(client, "门门门门好")


def test_where_the_label_may_be_neutral_there_is_a_bar_of_it(models: Path, client: FlaskClient) -> None:
    other = create_app(Settings(models=models, sentiment_neutral=True)).test_client()
    assert bars(client.post("/?lang=zh", data={"text": "好"}).text) == ["负面", "正面"]
    assert bars(other.post("/?lang=zh", data={"text": "好"}).text) == ["负面", "中性", "正面"]
    assert verdict(other, "门门好") == ("Neutral", "没有明显倾向", "无明显倾向的概率", "66.5%")


def test_lines_are_judged_one_by_one_where_that_was_asked_for(client: FlaskClient) -> None:
    text = "好好好好\r\n\r\n门门门门好\r\n好好坏\r\n坏坏坏坏\r\n好好好好"
    page = client.post("/?lang=zh", data={"text": text, "each": "on"}).text.partition("<template")[0]
    assert re.findall(r'<p class="text" lang="zh">(.*?)</p>', page) == text.replace("\r\n\r\n", "\r\n").split("\r\n")
    assert re.findall(r'<span class="note">(.*?)</span>', page) == ["正面", "没有明显倾向", "不确定", "负面", "正面"]
    groups = re.search(r'<p class="groups">(.*?)</p>', page, re.DOTALL)[1]
    assert re.findall("<span>(.*?)</span>", groups) == ["负面 1", "正面 2", "不确定 1", "没有明显倾向 1"]
    assert '<div class="single" hidden>' in page


def test_several_lines_without_that_are_one_text_and_the_page_offers_it(client: FlaskClient) -> None:
    several, one = (client.post("/?lang=zh", data={"text": text}).text for text in ("好好\r\n好好", "好好好好"))
    assert '<div class="several" hidden>' in several.partition("<template")[0]
    assert '<div id="lines">' in several
    assert '<div id="lines" hidden>' in one


def test_it_is_a_page_of_sentiment(client: FlaskClient) -> None:
    assert "<title>中文情感分析 ·" in client.get("/?lang=zh").text


def test_the_page_for_files_knows_of_neutral(models: Path, client: FlaskClient) -> None:
    def facts(of: FlaskClient) -> str:
        return re.search(r'"sentiment": (\{.*?\})', of.get("/ui/bulk").text)[1]

    other = create_app(Settings(models=models, sentiment_neutral=True)).test_client()
    assert facts(client) == '{"api": "/predict_batch", "labels": ["Negative", "Positive"], "neutral": false}'
    assert '"labels": ["Negative", "Neutral", "Positive"], "neutral": true}' in facts(other)
