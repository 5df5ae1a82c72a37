"""Every command line in the documentation is one that the real parsers would take."""

import click
import pytest

from tests.docs.command_line import TARGETS, check
from tests.docs.pages import PAGES, command_lines, fenced, inline, name_of, read

IN_PROSE = ("python -m ", "structbert-lite ", "pip install -r ", ".venv/bin/", "deploy/image-check.sh", "make ")


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_commands_in_blocks_can_be_run_as_they_are(page) -> None:
    for block in fenced(read(page), "", "sh", "bash"):
        for words in command_lines(block):
            assert_taken(words, complete="..." not in words)


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_commands_in_prose_exist(page) -> None:
    for code in inline(read(page)):
        if code.startswith(IN_PROSE):
            for words in command_lines(code):
                assert_taken(words, complete=False)


def test_the_check_finds_what_is_wrong() -> None:
    for wrong in (
        "make served",
        "python -m structbert_lite scores",
        "python -m structbert_lite score a.csv --task mood -o b.csv",
        "python -m structbert_lite score a.csv --tasks sentiment -o b.csv",
        "python -m structbert_lite score a.csv b.csv --task sentiment -o c.csv",
        "python -m structbert_lite score a.csv --task sentiment",
        "python -m export --task sentiment --checkpoint X --out models/x --max-tokens many",
        "python -m trainings base",
        "pip install -r requirements-rediss.txt",
    ):
        for words in command_lines(wrong):
            with pytest.raises((click.UsageError, LookupError)):
                check(words, complete=True)


def test_there_are_commands() -> None:
    found = [words for page in PAGES for block in fenced(read(page), "") for words in command_lines(block)]
    assert sum(check(words, complete=False) for words in found) > 40


def test_every_target_of_the_makefile_is_documented() -> None:
    code = [one for page in PAGES for one in [*fenced(read(page), "", "sh"), *inline(read(page))] if "make " in one]
    named = [words for one in code for words in command_lines(one)]
    assert {words[words.index("make") + 1] for words in named if "make" in words[:2] and words[-1] != "make"} >= TARGETS


def assert_taken(words: list[str], complete: bool) -> None:
    try:
        check(words, complete)
    except (click.UsageError, LookupError) as error:
        pytest.fail(f"{' '.join(words)}: {getattr(error, 'message', '') or error}", pytrace=False)
