"""`python -m structbert_lite evaluate aspects`: which aspects are found in reviews, and how they are spoken of."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

import click

from structbert_lite.engine import Engine
from structbert_lite.errors import StructBertError
from structbert_lite.evaluate.figures import accuracy, f1, macro_f1
from structbert_lite.evaluate.installed import echo_figures, open_engine, patient_context
from structbert_lite.evaluate.rows import read_rows
from structbert_lite.tasks.aspect_words import DOMAINS

DATA = Path(__file__).parent / "data" / "aspects"
MARKS = {"+": "positive", "-": "negative", "~": "mixed"}
NAMES = {"pos": "positive", "neg": "negative", "amb": "mixed"}  # of DiaASQ; its other labels are no opinion
NONE = "not named"
OPINIONS = tuple(MARKS.values())
SEED = 1  # of the aspects that a text is asked about beside its own


@dataclass(frozen=True, slots=True)
class Review:
    """A text, the aspects that it is asked about, and of those that it names how it speaks."""

    text: str
    asked: tuple[str, ...]
    opinions: dict[str, str]


def read_reviews(path: Path) -> list[Review]:
    """The rows of a file with the columns `domain`, `aspects` and `text`, or with `text`, `aspect` and `polarity`.

    In the first, `aspects` are joined by `;`, each with `+`, `-` or `~` behind it, and all others of the domain's list
    are not named. The second has a row for each opinion; a text is asked about its own aspects, and about as many
    others of the file that do not stand in it. Raises ValueError.
    """
    rows = read_rows(path, ["text"])
    if not rows or {"domain", "aspects"} <= rows[0].keys():
        return [_own(row) for row in rows]
    if not {"aspect", "polarity"} <= rows[0].keys():
        raise ValueError(f"{path} needs the columns domain and aspects, or aspect and polarity")
    return _by_opinion(rows)


def judge(reviews: Sequence[Review], engine: Engine) -> tuple[list[str], list[str]]:
    """(found, expected): of each text and each aspect that it is asked about, one of OPINIONS or NONE."""
    found, expected = [], []
    with click.progressbar(reviews, label="aspects", file=sys.stderr) as bar:
        for review in bar:
            (result,) = engine.predict("aspects", [review.text], patient_context(), aspects=review.asked)
            opinions = {one.aspect: one.polarity for one in result.aspects}
            found += [opinions.get(aspect, NONE) for aspect in review.asked]
            expected += [review.opinions.get(aspect, NONE) for aspect in review.asked]
    return found, expected


def figures(found: Sequence[str], expected: Sequence[str]) -> dict[str, float]:
    """F1 of naming, of each opinion with its naming, their mean, and of the polarity where both name the aspect."""
    named = [(a, b) for a, b in zip(found, expected, strict=True) if NONE not in (a, b)]
    each = {f"F1 {one}": f1(found, expected, one) for one in OPINIONS}
    return {
        "F1 named": f1([one != NONE for one in found], [one != NONE for one in expected], True),
        **each,
        "macro-F1": sum(each.values()) / len(each),
        "polarity right where named": accuracy(*zip(*named, strict=True)) if named else float("nan"),
        "polarity macro-F1 where named": macro_f1(*zip(*named, strict=True)) if named else float("nan"),
    }


@click.command("aspects")
@click.option(
    "--data",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Your own reviews, as docs/quality.md shows them.  [default: the built-in ones that nothing was chosen on]",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def command(data: Path | None, as_json: bool) -> None:
    """Figures of the aspects task, with the models that the server would use."""
    try:
        reviews = read_reviews(data or DATA / "test.tsv")
        engine = open_engine()
        found, expected = judge(reviews, engine)
        engine.close()
    except (StructBertError, ValueError, OSError) as error:
        raise click.ClickException(str(error)) from None
    told = {"texts": len(reviews), "aspects named": sum(one != NONE for one in expected), **figures(found, expected)}
    echo_figures(told, as_json)


def _own(row: dict[str, str]) -> Review:
    given = [one for one in row["aspects"].split(";") if one]
    if row["domain"] not in DOMAINS or any(one[-1] not in MARKS for one in given):
        known = ", ".join(DOMAINS)
        raise ValueError(f"a domain is one of {known}, an aspect has +, - or ~ behind it: {row['aspects']}")
    opinions = {one[:-1]: MARKS[one[-1]] for one in given}
    asked = next(names for domain, names in DOMAINS.items() if domain == row["domain"])
    return Review(row["text"], tuple(dict.fromkeys((*asked, *opinions))), opinions)


def _by_opinion(rows: Sequence[dict[str, str]]) -> list[Review]:
    by_text: dict[str, dict[str, set[str]]] = {}
    for row in rows:
        by_text.setdefault(row["text"], {}).setdefault(row["aspect"], set()).add(row["polarity"])
    every, rng = sorted({row["aspect"] for row in rows}), Random(SEED)
    reviews = []
    for text, aspects in by_text.items():
        # An aspect without an opinion is asked about by nobody who has labelled it.
        own = {a: NAMES[next(iter(p))] if len(p) == 1 else "mixed" for a, p in aspects.items() if p <= NAMES.keys()}
        absent = [a for a in every if a not in text]
        others = rng.sample(absent, min(len(own), len(absent)))
        if own:
            reviews.append(Review(text, (*own, *others), own))
    return reviews
