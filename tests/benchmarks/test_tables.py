"""The page says what was measured, failures included."""

import pytest

from benchmarks.report import page, summary
from benchmarks.tables import clients_table, kernel_table, markdown, server_table, setting_table, verdicts


def server(title: str, per_second: float, memory: float, change: float, kind: str = "server") -> dict:
    load = {"requests": 400, "failures": 0, "per_second": per_second, "p50_ms": 1.0, "p95_ms": 2.0, "p99_ms": 3.0}
    return {
        "title": title,
        "kind": kind,
        "setting": "its best",
        "tried": {"its best": per_second, "another": "it stopped"},
        "loads": [load | {"clients": clients} for clients in (1, 4, 16, 64)],
        "start_seconds": 1.0,
        "memory_mb": memory,
        "change_in_crowd": change,
        "change_in_batch": None if title == "plain" else change,
        "change_from_fp32": 0.001,
    }


FAILED = {"title": "broken", "kind": "server", "failed": "No module named x", "tried": {}}
OURS, EARLY = server("ours", 100, 200, 0.0, "ours"), server("early", 160, 210, 0.0, "ours")
BARE = server("bare", 80, 160, 0.0, "bare")
SERVERS = [OURS, server("plain", 20, 900, 0.0), server("other", 40, 500, 0.02), FAILED]
SHAPE = {"per_second": 50.0, "setting": "one run on all CPUs", "all": {}}
COST = {"memory_mb": 90.0, "start_seconds": 0.5}
KERNELS = [
    {"title": "ours", "shapes": {"1x32": SHAPE | {"setting": "side by side"}}, "change_in_batch": 0.0} | COST,
    {"title": "other", "shapes": {"1x32": SHAPE}, "change_in_batch": 0.02, "change_from_fp32": 0.1} | COST,
    FAILED,
]


def test_the_server_table_has_every_server_and_the_reason_of_a_failure() -> None:
    lines = server_table(SERVERS).splitlines()
    assert len(lines) == 2 + len(SERVERS)
    assert lines[2].startswith("| ours | 100 | 1.00 | 1 | 2 | 3 | 200 | 1.0 | 0.0 | 0.0 |")
    assert "| 20 | 0.20 |" in lines[3]
    assert "| 0.0 | – |" in lines[3]
    assert "No module named x" in lines[5]
    assert len({line.count("|") for line in lines}) == 1


def test_verdicts_are_against_the_fastest_others_without_and_with_early_exits() -> None:
    bare, early_bare, memory, other, early_other, change = verdicts([OURS, EARLY, BARE, *SERVERS[1:]])
    assert bare == "texts/s at 16 clients: ours, 1.25 times bare, the fastest bare server (aim reached: 1.1 times)"
    assert "early, 2.00 times bare" in early_bare
    assert memory == "memory: 1.25 of its (aim reached: 1.3)"
    assert "ours, 2.50 times other, the fastest other server (aim reached: 1.5" in other
    assert "early, 4.00 times other" in early_other
    assert change.startswith("change of a score of ours in a crowd or a batch: 0.0 (aim reached")


def test_a_missed_aim_is_said() -> None:
    slow = server("ours", 50, 400, 1e-7, "ours")
    lines = verdicts([slow, FAILED, BARE, server("other", 40, 500, 0.0)])
    assert len(lines) == 4
    assert all("aim NOT reached" in line for line in lines)


def test_at_base_size_early_exits_have_no_aim() -> None:
    ours, early, *_ = verdicts([server("ours", 85, 200, 0.0, "ours"), EARLY, BARE], base_size=True)
    assert "1.06 times bare, the fastest bare server (aim reached: 1.05 times)" in ours
    assert "aim" not in early


@pytest.mark.parametrize("rows", [[FAILED, *SERVERS[1:]], [OURS, FAILED], [FAILED]])
def test_without_ours_or_without_others_nothing_is_claimed(rows: list[dict]) -> None:
    assert verdicts(rows)[:2] == [
        "Nothing to compare with the fastest bare server.",
        "Nothing to compare with the fastest other server.",
    ]
    assert "No module named x" in server_table(rows)


def test_kernels_say_which_setting_was_better() -> None:
    ours, other, broken = kernel_table(KERNELS).splitlines()[2:]
    assert ours == "| ours | 50 | 0.0 | – | 90 | 0.5 |"
    assert other == "| other | 50 (1) | 0.0200 | 0.1000 | 90 | 0.5 |"
    assert "No module named x" in broken


def test_a_reason_with_a_pipe_breaks_no_table() -> None:
    assert markdown(["a"], [["x | y"]]).splitlines()[-1] == "| x / y |"


def test_other_tables() -> None:
    assert clients_table(SERVERS).count("100 (2)") == 4
    assert clients_table([FAILED]) == ""
    assert "| other | another | it stopped |  |" in setting_table(SERVERS)


def test_the_page_holds_all_parts() -> None:
    found = {"servers": SERVERS, "kernels": KERNELS, "verdicts": verdicts(SERVERS), "size": "4 layers of 512"}
    figures = {"date": "d", "machine": "m", "rounds": 3, "seconds": 5.0, "client": "c", "scored": 200, "stock": "avx2"}
    figures |= {"versions": {"ours": ["flask 3"]}, "pairs": {"default": found | {"not_made": {"openvino": "no disk"}}}}
    written = page(figures)
    for part in (
        "## default: 4 layers of 512",
        "no disk",
        "flask 3",
        "2.50 times other",
        server_table(SERVERS),
        "OpenVINO Model Server",
    ):
        assert part in written
    assert kernel_table(KERNELS) in summary(figures)
