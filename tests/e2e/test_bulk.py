"""Whole files in the browser: read, scored by the real server, downloaded and read back."""

import csv
import io
import json
import random
import urllib.request
from datetime import date

import openpyxl
import pytest
from click.testing import CliRunner

from structbert_lite.bulk.command import command
from tests.e2e.conftest import Server
from tests.e2e.test_accessible import light_and_dark, violations

HAN = [chr(code) for code in range(0x4E00, 0x9FA6)]
HEADER = ["编号", "评论", "日期"]
TEXTS = ["味道不错，下次还来", '物流太慢，"包装"也破了', "第一行\n第二行，很满意", "", "  ", "电池不耐用"]
ROWS = [[f"90071992547409931{i}", text, "2026-01-02"] for i, text in enumerate(TEXTS)]
BLANK = {3, 4}
# The page writes columns and labels in its own language.
COLUMNS = ["结果", "分数", "负面的概率", "正面的概率", "无明显态度的概率", "不确定", "只读了开头", "错误"]
GROUPS = {"Positive": "正面", "Negative": "负面", "Neutral": "中性"}
ANSWERS = {True: "是", False: "否"}


def csv_of(rows: list[list[str]], **options) -> str:
    file = io.StringIO()
    csv.writer(file, **options).writerows(rows)
    return file.getvalue()


def workbook() -> bytes:
    book, file = openpyxl.Workbook(), io.BytesIO()
    book.active.append(HEADER)
    for number, text, _ in ROWS:
        book.active.append([number, text, date(2026, 1, 2)])
    book.create_sheet("其他").append(["不读"])
    book.save(file)
    return file.getvalue()


def json_lines() -> bytes:
    lines = [json.dumps(dict(zip(HEADER, row, strict=True)), ensure_ascii=False) for row in ROWS]
    return "\n".join(line.replace(f'"{ROWS[i][0]}"', ROWS[i][0]) for i, line in enumerate(lines)).encode()


TABLE = [HEADER, *ROWS]
FILES = {
    "utf-8.csv": csv_of(TABLE, lineterminator="\n").encode(),
    "mark.csv": csv_of(TABLE).encode("utf-8-sig"),
    "gb18030.csv": csv_of(TABLE).encode("gb18030"),
    "mixed ends.csv": (csv_of(TABLE[:3]) + csv_of(TABLE[3:], lineterminator="\n")).encode(),
    "semicolons.csv": csv_of(TABLE, delimiter=";").encode(),
    "utf-16.tsv": csv_of(TABLE, delimiter="\t").encode("utf-16"),
    "lines.jsonl": json_lines(),
    "book.xlsx": workbook(),
}


def put(page, name: str, data: bytes) -> None:
    page.set_input_files("#file", {"name": name, "mimeType": "", "buffer": data})
    page.wait_for_selector("#choices")


def put_texts(page, texts: list[str]) -> None:
    put(page, "texts.csv", csv_of([["id", "text"], *([i, text] for i, text in enumerate(texts))]).encode())


def start(page) -> None:
    page.click("#choices .primary")
    page.wait_for_selector("#run[data-state=running], #run[data-state=done]")


def wait_for(page, state: str) -> None:
    page.wait_for_selector(f"#run[data-state={state}]")


def done(page) -> int:
    return int(page.inner_text("[data-tile=done] dd >> nth=0").replace(",", ""))


def download(page) -> list[dict[str, str]]:
    with page.expect_download() as wanted:
        page.click("#download-csv")
    data = wanted.value.path().read_bytes()
    assert data.startswith(b"\xef\xbb\xbf")
    return list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline=""), strict=True))


def score(page) -> list[dict[str, str]]:
    start(page)
    wait_for(page, "done")
    return download(page)


def predictions(url: str, texts: list[str]) -> list[dict]:
    body = json.dumps({"texts": texts}).encode()
    request = urllib.request.Request(f"{url}/predict_batch", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)


def cells_of(answer: dict) -> list[str]:
    probabilities = [repr(answer["probabilities"][label]) for label in ("Negative", "Positive")]
    doubts = [repr(answer["neutral"]), ANSWERS[answer["uncertain"]]]
    return [GROUPS[answer["label"]], repr(answer["score"]), *probabilities, *doubts, ANSWERS[answer["truncated"]], ""]


def expected(url: str, texts: list[str]) -> list[dict[str, str]]:
    """The new cells of each row; a row without a text is a class of its own."""
    answers = iter(predictions(url, [text for text in texts if text.strip()]))
    blank = ["没有内容", *[""] * (len(COLUMNS) - 1)]
    rows = [cells_of(next(answers)) if text.strip() else blank for text in texts]
    return [dict(zip(COLUMNS, row, strict=True)) for row in rows]


@pytest.fixture
def page(visit, tiny_url):
    seen = visit(f"{tiny_url}/ui/bulk")
    seen.page.wait_for_load_state()
    yield seen.page
    assert seen.complaints == []


@pytest.fixture
def noisy_page(visit, tiny_url):
    """A page on whose console the browser reports refused requests."""
    page = visit(f"{tiny_url}/ui/bulk").page
    page.wait_for_load_state()
    return page


@pytest.mark.parametrize("name", FILES)
def test_a_file_of_each_kind(page, tiny_url, name):
    put(page, name, FILES[name])
    assert page.input_value("#column") == "1"  # the one with Chinese text
    rows = score(page)
    old = [{name: row[name] for name in HEADER} for row in rows]
    assert old == [dict(zip(HEADER, row, strict=True)) for row in ROWS]
    new = [{name: value for name, value in row.items() if name not in HEADER} for row in rows]
    assert new == expected(tiny_url, TEXTS)
    assert list(new[0]) == COLUMNS
    assert "全部完成：6 行" in page.inner_text("#state")
    assert "判断了 4 行。2 行没有内容。" in page.inner_text("#summary .counts")
    shares = page.eval_on_selector_all(
        "#summary .bars",
        "all => all.map(one => [...one.querySelectorAll('meter')].reduce((sum, meter) => sum + meter.value, 0))",
    )
    assert shares == pytest.approx([1, 1])


@pytest.mark.parametrize(
    ("task", "header", "options"),
    [
        ("similarity", ["text_a", "text_b"], []),
        ("zero-shot", ["text", "n"], ["--labels", "咨询,投诉,建议", "--template", "这是{}", "--multi-label"]),
    ],
)
def test_it_writes_what_the_command_line_writes(visit, tiny_url, tiny_models, tmp_path, task, header, options):
    page = visit(f"{tiny_url}/ui/bulk?lang=en").page
    page.wait_for_selector("#job")
    texts = ["怎么申请退款", "如何办理退款", "今天天气真好", "=1+1,“加”"]
    rows = [header, *zip(texts, ["何时发货", "退款", "空", '"'], strict=True), ["多", "一", "格"]]
    source = tmp_path / "in.csv"
    source.write_text(csv_of(rows), encoding="utf-8", newline="")
    given = [str(source), "--task", task, "-o", str(tmp_path / "out.csv"), "--model", str(tiny_models / task), *options]
    assert CliRunner().invoke(command, given).exit_code == 3
    put(page, "in.csv", source.read_bytes())
    page.select_option("#task", task)
    if options:
        page.fill("#labels-new", options[1])
        page.check("[name=multi_label]")
        page.fill("#hypothesis_template", options[3])
    page.select_option("#column", "0")
    with (tmp_path / "out.csv").open(encoding="utf-8", newline="") as file:
        wanted = list(csv.DictReader(file))
    found = score(page)
    # The command line also names the surplus cells.
    assert wanted[-1]["error"].startswith(found[-1]["error"])
    assert found[-1].pop("error")
    wanted[-1].pop("error")
    assert found == wanted


def test_a_row_that_the_server_refuses_harms_no_other(noisy_page, tiny_url):
    asked = []
    noisy_page.on("request", lambda request: request.url.endswith("/predict_batch") and asked.append(1))
    texts = [f"第{i}道菜很好吃" for i in range(100)]
    texts[7] = texts[63] = texts[90] = "\u200b"
    put_texts(noisy_page, texts)
    rows = score(noisy_page)
    wrong = {i for i, row in enumerate(rows) if row["结果"] == "没有内容"}
    assert wrong == {7, 63, 90}  # nobody can see what is in them, as the server says
    answers = predictions(tiny_url, [text for i, text in enumerate(texts) if i not in wrong])
    assert [row["分数"] for row in rows if row["分数"]] == [repr(answer["score"]) for answer in answers]
    assert len(asked) == 2 + 3


def test_a_row_too_large_for_the_server(page):
    page.evaluate("import('/static/page.js').then(({ limits }) => { limits.mb = 0.01; })")
    put_texts(page, ["很好", "好" * 5000, "不好"])
    rows = score(page)
    assert [row["错误"] for row in rows] == ["", "文本太长，服务器收不下", ""]


def test_pause_resume_and_cancel(page):
    held, hold = [], True

    def on_request(route) -> None:
        if hold:
            held.append(route)
        else:
            route.continue_()

    def wait_until_done(rows: int) -> None:
        page.wait_for_function(f"() => document.querySelector('[data-tile=done] dd').textContent === '{rows}'")

    page.route("**/similarity", on_request)
    put(page, "a.csv", csv_of([["id", "text_a", "text_b"], *([i, f"第{i}句", "很好"] for i in range(320))]).encode())
    page.select_option("#task", "similarity")
    start(page)
    page.wait_for_function("() => document.activeElement.id === 'pause'")
    assert page.is_disabled("#file")
    page.click("#pause")
    wait_for(page, "paused")
    page.wait_for_timeout(100)
    assert len(held) == 2  # no more than two at a time
    for route in held:
        route.continue_()
    wait_until_done(128)
    assert len(held) == 2
    assert [row["id"] for row in download(page)] == list(map(str, range(128)))

    page.click("#pause")
    wait_for(page, "running")
    page.wait_for_timeout(100)
    assert len(held) == 4
    held[3].continue_()
    wait_until_done(192)
    page.click("#cancel")
    page.click("#ask-cancel >> text=继续处理")
    assert not page.is_visible("#ask-cancel")
    assert page.get_attribute("#run", "data-state") == "running"
    page.click("#cancel")
    page.click("#ask-cancel >> text=取消任务")
    wait_for(page, "cancelled")
    assert "320 行中完成了 192 行" in page.inner_text("#state")
    parts = [{*range(128), *range(at, at + 64)} for at in (128, 192)]  # which of two was in flight first is chance
    ids = [int(row["id"]) for row in download(page)]
    assert ids in [sorted(part) for part in parts]

    hold = False
    assert [row["id"] for row in score(page)] == list(map(str, range(320)))


def test_a_server_that_is_killed_and_comes_back_loses_no_row(visit, doomed_server, tmp_path, tiny_models):
    page = visit(f"{doomed_server.url}/ui/bulk").page
    page.wait_for_load_state()
    texts = [f"第{i}道菜{'很' * (i % 7)}好吃" for i in range(3200)]  # a fast machine judges thousands in a second
    put_texts(page, texts)
    asked: list = []

    def kill_in_the_middle(route) -> None:
        asked.append(route)
        if len(asked) == 4:
            doomed_server.kill()
        route.continue_()

    page.route("**/predict_batch", kill_in_the_middle)
    page.click("#choices .primary")
    page.wait_for_selector("#error :text('连不上服务器')")
    assert done(page) < len(texts)
    revived = Server(tmp_path / "second log", tiny_models, doomed_server.port)
    try:
        wait_for(page, "done")
        assert not page.is_visible("#error p")
        rows = download(page)
        parts = [predictions(revived.url, texts[i : i + 400]) for i in range(0, len(texts), 400)]
        assert [row["id"] for row in rows] == list(map(str, range(len(texts))))
        assert [row["分数"] for row in rows] == [repr(answer["score"]) for part in parts for answer in part]
    finally:
        revived.kill()


SEND = """async ({ items: some, times = Infinity, ...fault }) => {
  const { Sender } = await import("/static/bulk/sender.js");
  const { Fault } = await import("/static/api.js");
  const settled = [], refused = [], troubles = [], asked = [];
  let said = 0;
  const sender = new Sender([[0, 1, 2, 3, 4, 5, 6, 7], [8, 9]].values(), {
    async ask(items) {
      asked.push(performance.now());
      if (said < times && some.some((one) => items.includes(one))) {
        said += 1;
        throw new Fault(fault.kind ?? "other", "no", fault.field ?? "", fault);
      }
      return items.map((item) => item * 10);
    },
    settle: (item, answer) => settled.push([item, answer]),
    refuse: (item, kind, reason) => refused.push([item, reason]),
    trouble(told, { stopped }) {
      troubles.push(told && [told.status, stopped]);
      if (stopped) setTimeout(() => sender.resume(), 50);
    },
  });
  await sender.run();
  const seconds = (asked.at(-1) - asked[0]) / 1000;
  return { settled: settled.sort((a, b) => a[0] - b[0]), refused, troubles, requests: asked.length, seconds };
}"""
FAULTS = [  # what is said of which items, those that end with an error, the number of requests
    ({"items": [5], "status": 400}, [5], 8),  # which one is found by halves
    ({"items": [5], "status": 422, "field": "texts[5]"}, [5], 3),
    ({"items": [5], "status": 504}, [5], None),
    ({"items": [0], "status": 504, "times": 1}, [], 4),  # too slow: in halves
    ({"items": [9], "status": 500}, [9], None),
    ({"items": [9], "status": 500, "times": 2}, [], 4),
    ({"items": [0], "status": 503, "wait": 1, "times": 1}, [], 3),
    ({"items": [0, 8], "status": 0, "kind": "unreachable", "times": 3}, [], 5),
    ({"items": [0], "status": 401, "kind": "unauthorized", "times": 1}, [], 3),
    ({"items": [0], "status": 422, "field": "labels[0]", "times": 1}, [], 3),
]


def test_whatever_the_server_says_each_item_is_settled_once(page):
    all_found = page.evaluate(f"all => Promise.all(all.map({SEND}))", [said for said, _, _ in FAULTS])
    for (said, refused, requests), found in zip(FAULTS, all_found, strict=True):
        assert found["settled"] == [[i, i * 10] for i in range(10) if i not in refused], said
        assert found["refused"] == [[i, "no"] for i in refused]
        assert requests in (None, found["requests"]), said
        if wait := said.get("wait"):
            assert found["seconds"] >= wait
            assert found["troubles"] == [[503, False], None]
        if said["status"] == 401 or said.get("field") == "labels[0]":
            assert found["troubles"] == [[said["status"], True], None]


def test_a_hundred_thousand_rows(page):
    page.evaluate(
        """() => {
          window.fetch = async (url, { body }) => {
            const answers = JSON.parse(body).texts.map((text) => ({
              text, label: "Positive", score: 0.75, probabilities: { Negative: 0.25, Positive: 0.75 }, truncated: false,
            }));
            return new Response(JSON.stringify(answers), { headers: { "Content-Type": "application/json" } });
          };
        }"""
    )
    count = 100_000
    put_texts(page, [f"第{i}条评论" for i in range(count)])
    assert "100,000 行" in page.inner_text("#preview .facts")
    rows = score(page)
    assert [row["id"] for row in rows] == list(map(str, range(count)))
    assert {row["分数"] for row in rows} == {"0.75"}
    assert page.locator("tr").count() < 60
    page.eval_on_selector(".rows", "rows => { rows.scrollTop = rows.scrollHeight; }")
    number = page.get_by_role("button", name="第 100000 行的详情")
    for width in (320, 600, 1440):
        page.set_viewport_size({"width": width, "height": 800})
        assert number.evaluate("button => button.closest('td').scrollWidth <= button.closest('td').clientWidth")
    assert "100,000 行" in page.inner_text("#summary .bars >> nth=0")


def test_columns_of_the_same_name_keep_their_cells(page):
    put(page, "a.csv", csv_of([["text", "结果", "text"], ["很好吃", "旧", "x"]]).encode())
    (row,) = score(page)
    assert (row["text"], row["结果"], row["text.1"], row["新_结果"]) == ("很好吃", "旧", "x", "正面")


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("a.pdf", b"%PDF", "不支持这种文件"),
        ("a.xlsx", b"no zip", "读不了"),
        ("a.csv", b"", "没有数据"),
        ("a.csv", b"text\n", "没有数据"),
    ],
)
def test_a_file_that_cannot_be_used_is_explained(page, name, data, words):
    page.set_input_files("#file", {"name": name, "mimeType": "", "buffer": data})
    page.wait_for_selector(f"#error :text('{words}')")
    assert not page.is_visible("#choices")


def test_doubts_about_a_file_are_told(page):
    put(page, "a.csv", "text\n很好\n".encode() + b"\xff\xff\xff\n" + '"没有关上\n一行'.encode())
    assert "不是文字，请换一种编码" in page.inner_text(".doubts")
    assert "引号没有配对" in page.inner_text(".doubts")
    page.check("#no-quotes")
    page.wait_for_function("() => !document.querySelector('.doubts').textContent.includes('引号')")
    assert [row["错误"] for row in score(page)] == ["", "text里有些字节在这种编码里不是文字", "", ""]


def test_quotes_that_do_not_fit_are_characters_in_tsv_and_told_in_csv(page):
    lines = 'id\ttext\n1\t"好吃"，他说\n2\t5" 的屏幕\n3\t"没有关上\n'
    put(page, "a.tsv", lines.encode())
    assert page.inner_text(".doubts") == ""
    assert [row["text"] for row in score(page)] == ['"好吃"，他说', '5" 的屏幕', '"没有关上']
    put(page, "a.csv", lines.replace("\t", ",").encode())
    page.wait_for_function("() => document.querySelector('.doubts').textContent.includes('引号没有配对')")


@pytest.mark.parametrize(
    ("status", "kind", "words"), [(401, "unauthorized", "页面上方的“密钥”"), (404, "not_found", "不接受")]
)
def test_what_no_retry_helps_stops_the_job_until_it_is_resumed(noisy_page, status, kind, words):
    page = noisy_page
    answer = {"error": {"type": kind, "message": "in its own words"}}
    page.route("**/similarity", lambda route: route.fulfill(status=status, json=answer))
    put(page, "a.csv", csv_of([["id", "text_a", "text_b"], *([i, f"第{i}句", "很好"] for i in range(200))]).encode())
    page.select_option("#task", "similarity")
    page.click("#choices .primary")
    wait_for(page, "stopped")
    assert words in page.inner_text("#error")
    assert "in its own words" in page.inner_text("#error")
    page.unroute("**/similarity")
    page.click("#pause")
    wait_for(page, "done")
    assert page.inner_text("#error") == ""
    assert [row["错误"] for row in download(page)] == [""] * 200


def test_a_large_workbook_is_read_beside_the_page(page):
    book, file = openpyxl.Workbook(write_only=True), io.BytesIO()
    sheet = book.create_sheet("评论")
    sheet.append(["id", "text"])
    draw = random.Random(1)
    for i in range(2000):  # far more than half a megabyte: the library then unpacks in workers of its own
        sheet.append([i, "".join(draw.choices(HAN, k=300))])
    book.save(file)
    put(page, "large.xlsx", file.getvalue())
    assert "2,000 行" in page.inner_text("#preview .facts")
    assert page.input_value("#column") == "1"


def test_a_dropped_file_and_the_keyboard_are_enough(page):
    page.evaluate(
        """() => {
          const data = new DataTransfer();
          data.items.add(new File(["text\\n很好吃\\n"], "dropped.csv"));
          for (const kind of ["dragover", "drop"]) {
            document.body.dispatchEvent(new DragEvent(kind, { dataTransfer: data, bubbles: true, cancelable: true }));
          }
        }"""
    )
    page.wait_for_selector("#choices")
    page.focus("#task")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "column"
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    wait_for(page, "done")
    page.wait_for_function("() => document.activeElement.id === 'download'")
    with page.expect_download() as wanted:
        page.keyboard.press("Enter")
    assert wanted.value.suggested_filename == "dropped.scored.xlsx"


def test_zero_shot_needs_labels(page):
    put_texts(page, ["很好"])
    page.select_option("#task", "zero-shot")
    page.click("#choices .primary")
    page.wait_for_selector("#error :text('至少一个类别')")
    assert page.evaluate("document.activeElement.id") == "labels-new"


def test_nothing_to_complain_about_for_axe(visit, tiny_url):
    page = visit(f"{tiny_url}/ui/bulk?lang=en", viewport={"width": 320, "height": 640}).page
    page.wait_for_load_state()
    assert violations(page) == []
    put(page, "a.csv", FILES["utf-8.csv"])
    page.select_option("#task", "zero-shot")
    page.click("#choices .primary")
    page.wait_for_selector("#error p")
    assert violations(page) == []
    page.fill("#labels-new", "咨询,投诉")
    held = []
    page.route("**/classify", lambda route: held.append(route))  # noqa: PLW0108 - playwright marks what it is given
    start(page)
    assert light_and_dark(page) == []
    held[0].continue_()
    wait_for(page, "done")
    assert light_and_dark(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 320


def test_with_a_key_it_asks_with_it(visit, keyed_url):
    seen = visit(f"{keyed_url}/ui/bulk", http_credentials={"username": "", "password": "sesame"})
    seen.page.wait_for_load_state()
    put_texts(seen.page, ["很好"])
    assert [row["错误"] for row in score(seen.page)] == [""]
    assert seen.complaints == []


def test_without_scripts_it_names_the_command(visit, tiny_url):
    page = visit(f"{tiny_url}/ui/bulk", java_script_enabled=False).page
    assert "python -m structbert_lite score" in page.inner_text(".notice")
    assert not page.is_visible("#job")
