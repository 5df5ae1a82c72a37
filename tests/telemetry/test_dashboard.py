"""The Grafana dashboard and the table in docs/operations.md name what /metrics really has, labels included."""

import json
import re

import pytest
from flask.testing import FlaskClient

from structbert_lite.settings import PROJECT
from tests.telemetry.scrape import parse

DASHBOARD = json.loads((PROJECT / "deploy/grafana/structbert-lite.json").read_text(encoding="utf-8"))
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
OPERATIONS = (PROJECT / "docs/operations.md").read_text(encoding="utf-8")
# What Prometheus itself adds to every series.
SCRAPED = {"job", "instance"}
METRIC = re.compile(r"\b(?:structbert|process)_\w+")


@pytest.fixture(scope="module")
def exposed(tiny_app: object) -> dict[str, set[str]]:
    """Labels by metric."""
    client: FlaskClient = tiny_app.test_client()
    client.post("/predict", json={"text": "为了仪表盘"})
    client.post("/predict", json={"text": ""})
    found: dict[str, set[str]] = {}
    for sample in parse(client.get("/metrics").get_data(as_text=True)).samples:
        found.setdefault(sample.name, set()).update(sample.labels)
    return found


@pytest.mark.parametrize("panel", PANELS, ids=lambda panel: panel["title"])
def test_a_panel_asks_for_what_there_is(panel: dict, exposed: dict[str, set[str]]) -> None:
    assert panel["targets"]
    for target in panel["targets"]:
        expression, legend = target["expr"], target["legendFormat"]
        named = METRIC.findall(expression)
        assert named
        labels = set.intersection(*(exposed[name] for name in named)) | SCRAPED
        grouped = re.findall(r"\b(?:by|without|on) \(([^)]*)\)", expression)
        filtered = re.findall(r"[{,](\w+)(?==)", expression)
        wanted = {label.strip() for group in grouped for label in group.split(",")} | set(filtered)
        assert wanted <= labels, (expression, labels)
        assert set(re.findall(r"{{(\w+)}}", legend)) <= wanted
        # A histogram's buckets mean nothing without their bounds, a counter nothing without a rate.
        assert ("histogram_quantile" in expression) == ("_bucket" in expression)
        for name in named:
            if name.endswith(("_total", "_bucket", "_sum", "_count")):
                assert re.search(rf"rate\({name}{{[^}}]*}}\[\$__rate_interval\]\)", expression), expression


def test_panels_do_not_lie_on_each_other() -> None:
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(ids) == len(set(ids))
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken
        assert max(x for x, _ in cells) < 24
        taken |= cells


def test_variables_ask_for_what_there_is(exposed: dict[str, set[str]]) -> None:
    queries = [one["definition"] for one in DASHBOARD["templating"]["list"] if one["type"] == "query"]
    assert len(queries) == 2
    assert {name for query in queries for name in METRIC.findall(query)} <= exposed.keys()


def test_the_docs_list_every_metric_with_its_labels(exposed: dict[str, set[str]]) -> None:
    rows = re.findall(r"^\| `((?:structbert|process)_\w+)` \| (\w+) \| (.*?) \|", OPERATIONS, re.MULTILINE)
    listed = {name: (kind, set(re.findall(r"`(\w+)`", labels))) for name, kind, labels in rows}
    real = {name: labels for name, labels in exposed.items() if not name.endswith(("_count", "_sum"))}
    real = {name.removesuffix("_bucket"): labels - {"le"} for name, labels in real.items()}
    assert {name: labels for name, (_, labels) in listed.items()} == real
    for name, (kind, _) in listed.items():
        expected = "histogram" if f"{name}_bucket" in exposed else "counter" if name.endswith("_total") else "gauge"
        assert kind == expected
