"""The repository's own Markdown, read as far as the tests need."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

from structbert_lite.settings import PROJECT

FOLDERS = (".", "docs", "models/*", "training/*", "export", "benchmarks", "deploy", "tests")
PAGES = sorted(path for folder in FOLDERS for path in PROJECT.glob(f"{folder}/*.md"))
FENCED = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)|^\[[^\]]+\]: (\S+)$", re.MULTILINE)


def name_of(path: Path) -> str:
    return path.relative_to(PROJECT).as_posix()


def read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def fenced(page: str, *languages: str) -> list[str]:
    """The blocks between ``` of one of the languages; "" is a block that names none."""
    return [body for language, body in FENCED.findall(page) if language in languages]


def inline(page: str) -> list[str]:
    """What stands between single ` outside of blocks."""
    return INLINE.findall(FENCED.sub("", page))


def links(page: str) -> list[str]:
    prose = INLINE.sub("", FENCED.sub("", page))
    return [one or other for one, other in LINK.findall(prose)]


def anchors(page: str) -> set[str]:
    """What links may have behind #, as GitHub makes it of headings."""
    headings = re.findall(r"^#+ (.*)$", FENCED.sub("", page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def command_lines(block: str) -> Iterator[list[str]]:
    """The words of each simple command of a shell's block, without comments and without the variables set before it."""
    for line in block.replace("\\\n", " ").splitlines():
        reader = shlex.shlex(line, posix=True, punctuation_chars="|&;<>")
        reader.whitespace_split = True
        words: list[str] = []
        for word in [*reader, ";"]:
            if set(word) <= set("|&;"):
                while words and re.match(r"\w+=", words[0]):
                    words.pop(0)
                if words:
                    yield words
                words = []
            else:
                words.append(word)
