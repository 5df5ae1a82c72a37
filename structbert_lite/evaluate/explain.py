"""`python -m structbert_lite evaluate explain`: do the words that are said to have decided a sentiment decide it?

By deletion (Samek et al., "Evaluating the Visualization of What a Deep Neural Network has Learned", 2017): without the
three words of the greatest weight the label's score has to fall further than without three words at random.
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from random import Random

import click

from structbert_lite.engine import Engine
from structbert_lite.errors import StructBertError
from structbert_lite.evaluate.installed import echo_figures, open_engine, patient_context
from structbert_lite.evaluate.rows import read_rows
from structbert_lite.results import Explanation, WeightedWord

DATA = Path(__file__).parent / "data" / "aspects"
DELETED = 3
FEWEST = 2 * DELETED  # words of a text that is judged: of fewer, random ones would be the same ones
DRAWS = 5  # of random words for each text, whose mean counts
SEED = 1


def falls(texts: Sequence[str], engine: Engine) -> list[tuple[float, float]]:
    """Of each text that is certain and has FEWEST words: how far the score falls without the strongest words, and
    without random ones.
    """
    found, rng = [], Random(SEED)
    with click.progressbar(texts, label="explain", file=sys.stderr) as bar:
        for text in bar:
            (result,) = engine.predict("explain", [text], patient_context())
            if result.sentiment.uncertain or len(result.words) < FEWEST:
                continue
            strongest = sorted(result.words, key=lambda word: -word.weight)[:DELETED]
            chosen = [strongest, *(rng.sample(result.words, DELETED) for _ in range(DRAWS))]
            first, *others = _fall(result, chosen, engine)
            found.append((first, sum(others) / DRAWS))
    return found


@click.command("explain")
@click.option(
    "--data",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Your own texts: a file with a column text.  [default: the built-in reviews with aspects]",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def command(data: Path | None, as_json: bool) -> None:
    """In how many texts the three strongest words move the score more than three random ones."""
    try:
        files = [data] if data else sorted(DATA.glob("*.tsv"))
        texts = [row["text"] for file in files for row in read_rows(file, ["text"])]
        engine = open_engine()
        found = falls(texts, engine)
        engine.close()
    except (StructBertError, ValueError, OSError) as error:
        raise click.ClickException(str(error)) from None
    if not found:
        raise click.ClickException(f"no text is certain and has {FEWEST} words")
    told = {
        "texts": len(texts),
        "certain, long enough": len(found),
        "strongest move more": sum(a > b for a, b in found) / len(found),
        "mean fall, strongest": sum(a for a, _ in found) / len(found),
        "mean fall, random": sum(b for _, b in found) / len(found),
    }
    echo_figures(told, as_json)


def _fall(result: Explanation, chosen: Sequence[Sequence[WeightedWord]], engine: Engine) -> list[float]:
    """How far the label's score falls without each of the sets of words."""
    texts = [_without(result.sentiment.text, words) for words in chosen]
    left = engine.predict("sentiment", texts, patient_context())
    return [result.sentiment.score - one.probabilities[result.sentiment.label] for one in left]


def _without(text: str, words: Sequence[WeightedWord]) -> str:
    for word in sorted(words, key=lambda word: -word.start):
        text = text[: word.start] + text[word.end :]
    return text
