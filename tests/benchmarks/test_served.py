"""Our real server beside one that cannot start."""

from benchmarks.served import measure_servers
from benchmarks.systems import OURS, Setting, System
from benchmarks.work import Pair
from structbert_lite.bench.synthetic_texts import make_texts
from structbert_lite.settings import PROJECT

DEFAULT = PROJECT / "models" / "sentiment"
BROKEN = System("broken", (Setting("as it comes", lambda pair, port: ["sh", "-c", "echo no such model; exit 3"]),))
ABSENT = System("absent", (Setting("as it comes", lambda pair, port: ["no-such-program"]),))


def test_ours_is_measured_and_the_others_have_a_reason() -> None:
    texts = make_texts(24, seed=5)
    rows = measure_servers(
        (OURS, BROKEN, ABSENT), Pair("default", DEFAULT, DEFAULT), texts, texts, 1, seconds=1, clients=(1, 4)
    )
    ours, broken, absent = rows
    assert [load["clients"] for load in ours["loads"]] == [1, 4]
    assert all(load["failures"] == 0 and load["requests"] > 0 for load in ours["loads"])
    assert ours["memory_mb"] > 0
    assert ours["start_seconds"] > 0
    assert ours["change_in_crowd"] == ours["change_in_batch"] == 0.0
    assert "no such model" in broken["failed"]
    assert "no-such-program" in absent["failed"]
