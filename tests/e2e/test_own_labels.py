"""The script's side of a sentiment model with many labels of its own."""

from tests.e2e.conftest import Server
from tests.tiny_models import make_cross, table


def test_the_script_shows_what_the_server_does(visit, tmp_path):
    labels = ["constructor", *(f"意图{n}" for n in range(11))]  # a name that every object of a script has, too
    make_cross(tmp_path / "models" / "mine", "sentiment", table(12), kind="classifier", labels=labels)
    server = Server(tmp_path / "log", tmp_path / "models")
    try:
        shown = []
        for scripts in (True, False):
            seen = visit(server.url, java_script_enabled=scripts)
            seen.page.fill("[name=text]", "这个怎么退货")
            seen.page.click(".primary")
            seen.page.wait_for_selector("#result .answer")
            shown.append(seen.page.locator("#result .single :is(strong, b, .name, .percent)").all_inner_texts())
            assert seen.complaints == []
        assert len(shown[0]) == 2 + 2 * 8
        assert shown[0] == shown[1]
    finally:
        server.kill()
