"""The scripts' side of a sentiment model that knows Neutral."""

import csv
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from structbert_lite.bulk.command import command
from tests.e2e.conftest import Server
from tests.e2e.test_accessible import light_and_dark
from tests.e2e.test_bulk import put_texts, score
from tests.tiny_models import make_all, make_three_way

TEXTS = ["好好好好", "门门门门好", "好好坏", "坏坏坏坏"]


@pytest.fixture(scope="module", params=["0", "1"], ids=["setting off", "setting on"])
def served(request, tmp_path_factory):
    """(address, folder of models, whether a label may be Neutral)"""
    folder = tmp_path_factory.mktemp("three")
    shutil.rmtree(make_all(folder / "models") / "sentiment")
    make_three_way(folder / "models" / "sentiment")
    server = Server(folder / "log", folder / "models", SENTIMENT_NEUTRAL=request.param)
    yield server.url, folder / "models", request.param == "1"
    server.kill()


def test_the_script_shows_what_the_server_does(visit, served):
    shown = []
    for scripts in (True, False):
        seen = visit(served[0], java_script_enabled=scripts)
        shown.append([answer_to(seen.page, text) for text in TEXTS])
        assert seen.complaints == []
    assert shown[0] == shown[1]
    assert ["calm" in classes for _, classes, _ in shown[0]] == [False, True, True, False]


def answer_to(page, text):
    """(words, classes of the card, tone)"""
    page.goto(page.url)
    page.fill("[name=text]", text)
    page.click(".primary")
    page.wait_for_selector("#result .answer")
    words = page.locator("#result .single :is(strong, .what, b, .neutral:not([hidden]), .name, .percent)")
    card = page.locator("#result .single")
    return words.all_inner_texts(), card.get_attribute("class"), card.locator(".verdict").get_attribute("data-label")


def test_what_was_asked_is_remembered_as_it_was_shown(visit, served):
    page = visit(served[0]).page
    page.fill("[name=text]", TEXTS[1])
    page.click(".primary")
    page.wait_for_selector("#result .answer")
    assert page.inner_text("#history .tag") == "没有明显倾向 93.6%"


def test_it_is_accessible(visit, served):
    page = visit(served[0]).page
    page.fill("[name=text]", TEXTS[2])
    page.click(".primary")
    page.wait_for_selector("#result .answer")
    assert light_and_dark(page) == []


def test_a_file_gets_what_the_command_line_writes(visit, served, tmp_path: Path):
    url, models, neutral = served
    seen = visit(f"{url}/ui/bulk?lang=en")
    seen.page.wait_for_load_state()
    put_texts(seen.page, TEXTS)
    rows = score(seen.page)
    source = tmp_path / "in.csv"
    source.write_text("id,text\n" + "".join(f"{i},{text}\n" for i, text in enumerate(TEXTS)), encoding="utf-8")
    given = [str(source), "--task", "sentiment", "-o", str(tmp_path / "out.csv"), "--model", str(models / "sentiment")]
    done = CliRunner().invoke(command, [*given, *(["--neutral"] if neutral else [])])
    assert done.exit_code == 0, done.output
    with (tmp_path / "out.csv").open(encoding="utf-8", newline="") as file:
        assert rows == list(csv.DictReader(file))
    assert [row["uncertain"] for row in rows] == ["false", "true", "true", "false"]
    groups = seen.page.locator("#summary .bars >> nth=0").locator(".name").all_inner_texts()
    assert groups[-1] == "Uncertain, " + ("1 row" if neutral else "2 rows")
    assert ("Neutral, 1 row" in groups) == neutral
    assert seen.complaints == []
