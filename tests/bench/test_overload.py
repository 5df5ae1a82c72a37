"""A short overload of the real server: what is held is that every answer is right, never a time."""

import json
import subprocess
import sys

from structbert_lite.settings import PROJECT


def test_three_times_too_much_hurts_nobody() -> None:
    command = [sys.executable, "-m", "structbert_lite", "overload", "--seconds", "3", "--texts", "200", "--json"]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout)
    for load in (figures["unloaded"], figures["overload"], figures["overload_settled"]):
        assert load["not_answered"] == 0
        assert load["wrong"] == 0
        assert set(load["statuses"]) <= {"200", "503"}
        assert load["statuses"]["200"] > 0
    assert figures["answers_afterwards_differ"] == 0
    assert figures["overload"]["requests"] > figures["unloaded"]["requests"]
