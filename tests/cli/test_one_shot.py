"""`structbert-lite predict` and its sisters, with the default models."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from flask.testing import FlaskClient

from structbert_lite.__main__ import main
from structbert_lite.settings import PROJECT

FACT = "这家店早上九点开门"
BAD = "这部电影太烂了，完全浪费时间"
PAIR = ("怎么申请退款", "如何办理退款")
DOCUMENTS = ["门店早上九点开门", "申请退款请在订单页面点退款，三个工作日到账"]
LABELS = ["售后", "物流", "优惠活动"]


def run(*arguments: str, stdin: str | bytes = "") -> Result:
    return CliRunner().invoke(main, arguments, input=stdin)


@pytest.mark.parametrize(
    ("arguments", "path", "body"),
    [
        (["predict", BAD], "/predict", {"text": BAD}),
        (["predict", "这家店早上九点开门", "--neutral"], "/predict", {"text": "这家店早上九点开门", "neutral": True}),
        (["predict", "好" * 600], "/predict", {"text": "好" * 600}),
        (["similarity", *PAIR], "/similarity", {"text_a": PAIR[0], "text_b": PAIR[1]}),
        (["classify", BAD, "--labels", "售后、物流,优惠活动"], "/classify", {"text": BAD, "labels": LABELS}),
        (
            ["classify", BAD, "--labels", json.dumps(LABELS), "--none", "--multi-label", "--template", "关于{}"],
            "/classify",
            {"text": BAD, "labels": LABELS, "none": True, "multi_label": True, "hypothesis_template": "关于{}"},
        ),
        (["rerank", PAIR[0], *DOCUMENTS], "/rerank", {"query": PAIR[0], "documents": DOCUMENTS}),
        (
            ["rerank", PAIR[0], *DOCUMENTS, "--top-n", "1"],
            "/rerank",
            {"query": PAIR[0], "documents": DOCUMENTS, "top_n": 1},
        ),
        (["embed", BAD], "/embed", {"texts": [BAD]}),
    ],
)
def test_json_is_the_servers_to_the_byte(client: FlaskClient, arguments: list[str], path: str, body: dict) -> None:
    result = run(*arguments, "--json")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout_bytes == client.post(path, json=body).data


def shown(*arguments: str) -> list[list[str | float]]:
    """The cells of each line; the last decimals of a score may differ between CPUs."""
    lines = [line.split("\t") for line in run(*arguments).stdout.splitlines()]
    return [[round(float(cell), 3) if cell.startswith("0.") else cell for cell in line] for line in lines]


def test_for_people() -> None:
    assert shown("predict", BAD) == [["Negative", 0.953]]
    assert shown("predict", "好", FACT) == [["Positive", 0.994], ["Positive", 0.559, "uncertain"]]
    assert shown("similarity", *PAIR) == [["high", 0.965]]
    cells = run("classify", BAD, "--labels", "电影,物流", "--none").stdout.rstrip("\n").split("\t")
    assert [cells[0], cells[2], cells[4]] == ["电影", "物流", "(none)"]
    assert float(cells[1]) + float(cells[3]) == pytest.approx(1, abs=2e-6)
    lines = [line.split("\t") for line in run("rerank", PAIR[0], *DOCUMENTS).stdout.splitlines()]
    assert [document for _, document in lines] == DOCUMENTS[::-1]
    assert len(run("embed", BAD).stdout.split(" ")) == 384


def test_lines_of_standard_input() -> None:
    texts = run("predict", BAD, "好").stdout
    for stdin in (f"{BAD}\n好", f"{BAD}\r\n好\r\n", f"\ufeff{BAD}\n好\n"):
        assert run("predict", stdin=stdin).stdout == texts
    assert run("similarity", stdin="\t".join(PAIR)).stdout == run("similarity", *PAIR).stdout
    ranked = run("rerank", PAIR[0], "--json", stdin="\n\n".join(DOCUMENTS) + "\n\n").stdout
    assert ranked == run("rerank", PAIR[0], *DOCUMENTS, "--json").stdout
    assert len(run("embed", "--json", stdin="好\n坏\n").stdout.splitlines()) == 2
    assert run("predict").stdout == ""


def test_answers_stay_beside_lines_that_cannot_be_read() -> None:
    result = run("predict", stdin="好\n\n\u200b\n坏\n")
    assert result.exit_code == 3
    first, *blank, last = result.stdout.split("\n")[:-1]
    assert (first.split("\t")[0], blank, last.split("\t")[0]) == ("Positive", ["", ""], "Negative")
    assert result.stderr.splitlines() == [f"line {i}: the text has no readable characters" for i in (2, 3)]
    result = run("similarity", "--json", stdin="好\t不错\n好\n好\t \n")
    errors = [json.loads(line).get("error") for line in result.stdout.splitlines()]
    said = "there are not two texts with a tab between them"
    assert errors[:2] == [None, {"type": "invalid_input", "message": said, "field": "text_b"}]
    assert errors[2]["field"] == "text_b"


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["predict", " "], 1, "Error: the text has no readable characters"),
        (["predict", "好", "--model", str(PROJECT / "models" / "rerank")], 1, "not one for sentiment"),
        (["predict", "好", "--model", str(PROJECT / "docs")], 1, "is not a model: it has no manifest.json"),
        (["predict", "好\udcc4"], 2, "this is not UTF-8"),
        (["similarity", "好"], 2, "give two texts"),
        (["classify", "好"], 2, "Missing option '--labels'"),
        (["classify", "好", "--labels", "甲,甲"], 1, "labels[1]: the label occurs twice"),
        (["classify", "好", "--labels", "，"], 1, "labels: there are no labels"),
        (["classify", "好", "--labels", '["甲", "乙"'], 2, "no JSON array of labels"),
        (["classify", "--labels", "甲", "--template", "x"], 1, "the template has no {} for the label"),
        (["rerank", "退款"], 1, "Error: there are no documents"),
    ],
)
def test_errors_are_a_sentence(arguments: list[str], code: int, said: str) -> None:
    result = run(*arguments, stdin="\n" if arguments[0] == "rerank" else "好\n")
    assert (result.exit_code, result.stdout) == (code, "")
    assert said in result.stderr
    assert "Traceback" not in result.output


def test_bytes_that_are_not_utf8() -> None:
    result = run("predict", stdin="好\n".encode() + "你好\n".encode("gbk"))
    assert (result.exit_code, result.stdout.count("\n")) == (1, 1)
    assert "line 2 of standard input is not UTF-8" in result.stderr


def test_no_models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STRUCTBERT_MODELS", str(tmp_path))
    result = run("embed", "好")
    assert result.exit_code == 1
    assert "there is no model in" in result.stderr


def test_only_what_answers_is_imported() -> None:
    script = (
        "import sys; from structbert_lite.__main__ import main; main(['predict', '好'], standalone_mode=False);"
        "print({'flask', 'gunicorn', 'prometheus_client', 'pyarrow', 'redis'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=PROJECT, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[1:] == ["set()"]
