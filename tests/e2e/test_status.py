"""The status page, drawn from the server's own /metrics."""

import pytest
from prometheus_client.parser import text_string_to_metric_families

TEXTS = ["这部电影太烂了", "房间干净", "物流很快，可惜包装破了", "这部电影太烂了"]
ASK = """texts => fetch("/predict_batch", {
  method: "POST", headers: {"Content-Type": "application/json"}, body: JSON.stringify({texts}),
}).then((answer) => answer.json())"""


def tile(page, name: str) -> str:
    return page.inner_text(f"[data-tile={name}] dd >> nth=0")


def wait_for_tile(page, name: str) -> str:
    page.wait_for_function("name => document.querySelector(`[data-tile=${name}] dd`).textContent !== '—'", arg=name)
    return tile(page, name)


def cell(page, table: str, first: str, column: int) -> str:
    return (
        page.locator(f"#{table} tbody tr", has=page.locator(f"th:text-is('{first}')"))
        .locator("td")
        .nth(column)
        .inner_text()
    )


def test_it_shows_what_the_server_did(visit, tiny_url):
    seen = visit(f"{tiny_url}/ui/status")
    page = seen.page
    page.wait_for_selector("#models td")
    before = page.locator("#routes tbody tr", has=page.locator("th:text-is('/predict_batch')")).count() and int(
        cell(page, "routes", "/predict_batch", 0)
    )
    assert len(page.evaluate(ASK, TEXTS)) == len(TEXTS)
    assert float(wait_for_tile(page, "rate")) > 0
    assert int(tile(page, "minute")) > 0
    assert tile(page, "failed") == "0"
    assert page.inner_text("#state-of-service strong") == "一切正常"
    assert "最近一分钟有" in page.inner_text("#state-of-service span")
    assert wait_for_tile(page, "latency").endswith(" ms")
    assert wait_for_tile(page, "hits").endswith("%")
    assert int(tile(page, "memory").removesuffix(" MB")) > 50
    assert tile(page, "in_flight") == "0"
    assert int(cell(page, "routes", "/predict_batch", 0)) == before + 1
    assert cell(page, "models", "sentiment", 1) == "已加载"
    assert sum(page.eval_on_selector_all("#batches meter", "all => all.map(one => one.value)")) == pytest.approx(1)
    page.wait_for_selector(".uplot >> nth=5", state="attached")
    assert "每秒请求: " in page.get_attribute("[data-chart=rate] .chart", "aria-label")
    assert seen.complaints == []


def test_it_reads_what_prometheus_reads(visit, tiny_url):
    page = visit(f"{tiny_url}/ui/status").page
    page.wait_for_selector("#models td")
    text = page.evaluate("fetch('/metrics').then((answer) => answer.text())")
    text += 'odd{a="q\\"uo\\\\te\\n,}",b=""} 1.5e-07\nodd{a="x y"} NaN\n'
    ours = page.evaluate(
        """async text => {
          const { parse } = await import("/static/status/prometheus.js");
          return parse(text).map(({name, labels, value}) => [name, labels, String(value)]);
        }""",
        text,
    )
    theirs = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    assert [(name, labels) for name, labels, _ in ours] == [(one.name, one.labels) for one in theirs]
    values = [float(value.replace("Infinity", "inf")) for _, _, value in ours]
    assert values == pytest.approx([one.value for one in theirs], nan_ok=True)


def test_figures_between_two_scrapes(visit, tiny_url):
    page = visit(f"{tiny_url}/ui/status").page
    name = "structbert_http_request_duration_seconds"

    def scrape(requests: int, fast: int, slow: int, hits: int) -> str:
        return "\n".join(
            [
                f'structbert_http_requests_total{{route="/predict",method="POST",status="200"}} {requests}',
                f'structbert_http_requests_total{{route="/metrics",method="GET",status="200"}} {requests * 7}',
                f'{name}_bucket{{route="/predict",le="0.1"}} {fast}',
                f'{name}_bucket{{route="/predict",le="0.2"}} {fast + slow}',
                f'{name}_bucket{{route="/predict",le="+Inf"}} {fast + slow}',
                f'{name}_bucket{{route="/metrics",le="0.1"}} 100',
                f'{name}_bucket{{route="/metrics",le="+Inf"}} {requests * 1000}',
                f'structbert_cache_hits_total{{model="m",tier="memory"}} {hits}',
                f'structbert_cache_hits_total{{model="m",tier="redis"}} {hits}',
                f'structbert_cache_misses_total{{model="m",tier="memory"}} {2 * hits}',
                f'structbert_cache_misses_total{{model="m",tier="redis"}} {hits}',
            ]
        )

    found = page.evaluate(
        """async ([before, after]) => {
          const { Scrape } = await import("/static/status/prometheus.js");
          const { figures } = await import("/static/status/figures.js");
          return figures(new Scrape(before, 100), new Scrape(after, 104));
        }""",
        [scrape(10, 5, 5, 30), scrape(30, 15, 15, 60)],
    )
    assert found["rate"] == 5
    assert found["p50"] == pytest.approx(0.1)
    assert found["p95"] == pytest.approx(0.19)
    assert found["rows"] is None
    assert found["hits"] == pytest.approx(60 / 90)


def test_numbers_keep_the_digits_that_count(visit, tiny_url):
    page = visit(f"{tiny_url}/ui/status").page
    said = page.evaluate(
        """async () => {
          const { inMs, rounded } = await import("/static/status/format.js");
          return [...[null, 0.0005, 0.01, 0.22, 1, 12.345].map(inMs), rounded(0.6333), rounded(250)];
        }"""
    )
    assert said == ["—", "0.5 ms", "10 ms", "220 ms", "1,000 ms", "12,300 ms", "0.633", "250"]


@pytest.mark.parametrize(("status", "words"), [(401, "需要密钥"), (404, "没有 /metrics")])
def test_where_it_may_not_read_it_says_so_once(visit, tiny_url, status, words):
    page = visit(f"{tiny_url}/ui/status").page
    page.wait_for_selector("#models td")
    asked = []

    def refuse(route) -> None:
        asked.append(1)
        route.fulfill(status=status, json={"error": {"type": "unauthorized", "message": "no"}})

    page.route("**/metrics", refuse)
    page.wait_for_selector(f"#notice :text('{words}')")
    page.wait_for_timeout(2500)
    assert len(asked) == 1
    page.unroute("**/metrics")
    page.click("#notice button")
    page.wait_for_selector("#notice", state="hidden")


def test_a_server_that_comes_back_is_drawn_again(visit, tiny_url):
    page = visit(f"{tiny_url}/ui/status").page
    page.wait_for_selector("#models td")
    page.route("**/metrics", lambda route: route.abort())
    page.wait_for_selector("#notice :text('连不上服务器')")
    assert page.inner_text("#state-of-service") == "连不上服务器"
    assert not page.is_visible("#notice button")
    page.unroute("**/metrics")
    page.wait_for_selector("#notice", state="hidden")


def test_a_server_that_is_not_ready_is_said_to_be_so(visit, tiny_url):
    page = visit(f"{tiny_url}/ui/status").page
    page.route(
        "**/readyz", lambda route: route.fulfill(status=503, json={"error": {"type": "not_ready", "message": "no"}})
    )
    page.wait_for_selector("#state-of-service strong:text('还不能用')")
    page.unroute("**/readyz")
    page.wait_for_selector("#state-of-service strong:text('一切正常')")


def test_with_a_key_it_reads_with_it(visit, keyed_url):
    seen = visit(f"{keyed_url}/ui/status", http_credentials={"username": "", "password": "sesame"})
    seen.page.wait_for_selector("#models td")
    assert seen.complaints == []


def test_without_scripts_it_says_where_the_numbers_are(visit, tiny_url):
    page = visit(f"{tiny_url}/ui/status", java_script_enabled=False).page
    assert page.get_attribute("noscript a, .notice a", "href") == "/metrics"


def test_it_fits_a_small_phone(visit, tiny_url):
    page = visit(f"{tiny_url}/ui/status", viewport={"width": 320, "height": 640}).page
    page.wait_for_selector(".uplot >> nth=5", state="attached")
    assert page.evaluate("document.documentElement.scrollWidth") <= 320


def test_without_requests_there_is_no_word_of_slow_ones(visit, doomed_server):
    page = visit(f"{doomed_server.url}/ui/status?lang=en").page
    page.wait_for_selector("#models td")
    assert page.locator("[data-tile=latency] dd").all_text_contents() == ["—", ""]
    page.evaluate(ASK, TEXTS)
    page.wait_for_selector("[data-tile=latency] :text('slow ones')")
