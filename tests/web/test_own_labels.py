"""A sentiment model with labels of its own: a fine-tuned one may have any."""

import re
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from app import create_app
from structbert_lite.settings import Settings
from tests.tiny_models import make_cross, table

TEXT = "这个怎么退货"


def make_client(folder: Path, labels: list[str]) -> FlaskClient:
    make_cross(folder / "mine", "sentiment", table(len(labels)), kind="classifier", labels=labels)
    return create_app(Settings(models=folder, sentiment_model="mine")).test_client()


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> FlaskClient:
    return make_client(tmp_path_factory.mktemp("models"), [f"意图{n}" for n in range(12)])


def bars(page: str) -> list[str]:
    return re.findall(r'<span class="name" aria-hidden="true">(.+?)</span>', page.partition("<template")[0])


def test_the_api_answers_with_all_of_them(many: FlaskClient) -> None:
    answer = many.post("/predict", json={"text": TEXT}).json
    assert list(answer["probabilities"]) == [f"意图{n}" for n in range(12)]
    assert answer["label"] == max(answer["probabilities"], key=answer["probabilities"].get)
    assert many.get("/models").json["models"][0]["labels"] == list(answer["probabilities"])


def test_the_page_shows_the_best_ones(many: FlaskClient) -> None:
    probabilities = many.post("/predict", json={"text": TEXT}).json["probabilities"]
    best = sorted(probabilities, key=lambda label: -probabilities[label])
    assert bars(many.post("/", data={"text": TEXT}).text) == best[:8]


@pytest.mark.parametrize(
    ("query", "title"), [("/?lang=zh", "中文文本分类"), ("/?lang=en", "Chinese text classification")]
)
def test_the_page_does_not_call_it_sentiment(many: FlaskClient, query: str, title: str) -> None:
    page = many.get(query).text
    assert f"<h1>{title}</h1>" in page
    assert f"<title>{title} ·" in page
    assert "12" in re.search(r"<h1>.*?</header>", page, re.DOTALL)[0]


def test_few_labels_keep_the_models_order_and_the_usual_ones_their_names(tmp_path: Path) -> None:
    client = make_client(tmp_path, ["Positive", "Negative"])
    page = client.post("/?lang=zh", data={"text": TEXT}).text
    assert bars(page) == ["正面", "负面"]
    assert "<title>中文情感分析 ·" in page


def test_two_labels_of_nearly_the_same_score_are_no_answer(tmp_path: Path) -> None:
    """A model that knows no Neutral says nothing of being uncertain; its page does."""
    client = make_client(tmp_path, ["Positive", "Negative"])
    kinds = set()
    for text in ("好", "坏", TEXT, "好坏", "不好", "一二三四五"):
        probabilities = client.post("/predict", json={"text": text}).json["probabilities"]
        page = client.post("/?lang=zh", data={"text": text}).text.partition("<template")[0]
        close = abs(probabilities["Positive"] - probabilities["Negative"]) < 0.3
        assert ("<strong>不确定</strong>" in page) == close
        assert ('<div class="single calm">' in page) == close
        kinds.add(close)
    assert kinds == {True, False}
