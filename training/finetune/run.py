"""The stages of a fine-tuning, in order."""

import dataclasses
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import click
from tokenizers import Tokenizer
from transformers import BertForSequenceClassification

from export.config import longest_input, read_config
from export.early_exit.rows import read_rows
from export.publish import check_target
from export.weights import digest_weights, find_weights
from training.examples import encode
from training.finetune.figures import measure
from training.finetune.learn import TOKENIZER, figures_of, learn
from training.finetune.publish import Target, predict_served, publish
from training.finetune.recipe import choose_recipe
from training.finetune.refusal import FinetuneRefused
from training.finetune.report import Facts, write_card, write_report
from training.finetune.rows import Row, choose_labels, clean, split
from training.finetune.start import find_base, licence_of, name_of, start_model
from training.finetune.state import RESUME, State, forget
from training.finetune.table import read_table

SMALL = 1_000  # rows below which a larger share is needed for dev figures that mean something


@dataclass(frozen=True, slots=True)
class Finetuning:
    """What to learn from, from what to start and where to put the model; None: chosen by the size of the data."""

    train: Path
    out: Path
    run: Path
    dev: Path | None = None
    dev_share: float | None = None
    columns: tuple[str, str] = ("text", "label")
    renames: Mapping[str, str] = field(default_factory=dict)
    least_rows: int = 5
    drop_rare: bool = False
    base: Path | None = None
    epochs: int | None = None
    patience: int = 3
    learning_rate: float | None = None
    max_tokens: int | None = None
    seed: int = 20
    min_agreement: float = 0.98
    early_exit: Path | None = None
    licence: str | None = None
    replace: bool = False
    restart: bool = False


def run_finetuning(wanted: Finetuning) -> Path:
    """Reads, trains, exports and reports; returns the path of the report.

    Called again after a kill with the same arguments it goes on where it was. Raises FinetuneRefused for unusable data
    or options, and ExportRefused; an old model at `out` is then untouched.
    """
    out = check_target(wanted.out, wanted.replace)
    rows, dev, labels = _read(wanted)
    if wanted.early_exit is not None:
        read_rows(wanted.early_exit, labels)  # what cannot be used is refused before the work
    click.echo(f"{len(rows):,} texts to learn from, {len(dev):,} dev rows, {len(labels)} labels: {_name(labels)}")
    base = find_base(wanted.base)
    licence = wanted.licence or licence_of(base)
    if wanted.restart:
        forget(wanted.run)
    wanted.run.mkdir(parents=True, exist_ok=True)

    config, architecture = read_config(base, num_labels=len(labels))
    max_tokens = wanted.max_tokens or min(512, longest_input(config, architecture))
    start = start_model(base, labels, wanted.run / TOKENIZER, max_tokens, 0.1, wanted.seed)
    lengths = [len(ids) for ids in encode(start[1], [row.text for row in rows], max_tokens)]
    recipe = choose_recipe(
        lengths, config.num_hidden_layers, wanted.epochs, wanted.learning_rate, max_tokens, wanted.seed
    )
    setup = {
        "texts": _digest([*rows, *dev]),
        "base": digest_weights(find_weights(base)),
        "labels": labels,
        "recipe": dataclasses.asdict(recipe),
    }
    state = State.open(wanted.run, setup)
    state.save(wanted.run)
    if state.epochs:
        click.echo(f"{wanted.run} has {len(state.epochs)} epochs already; going on from there")
    best = learn(start, (rows, dev), labels, recipe, wanted.patience, wanted.run, state)

    model = BertForSequenceClassification.from_pretrained(best, attn_implementation="eager")
    float32 = figures_of(model, Tokenizer.from_file(str(best / TOKENIZER)), dev, labels, max_tokens)
    facts = Facts(name_of(base), licence, labels, (len(rows), len(dev)), len(state.epochs), state.best)
    write_card(best, facts, float32)
    target = Target(out, wanted.replace, wanted.min_agreement, max_tokens, licence, wanted.early_exit)
    publish(best, target, labels, [row.text for row in rows], wanted.run)
    truth = [labels.index(row.label) for row in dev]
    int8 = measure(predict_served(out, [row.text for row in dev]), truth, labels)
    report = write_report(
        wanted.run / "report", facts, {"epochs": state.epochs, "recipe": setup["recipe"]}, float32, int8
    )
    (wanted.run / RESUME).unlink(missing_ok=True)  # some hundred megabytes that nothing needs any more
    click.echo(
        f"dev accuracy {float32.accuracy:.4f}, macro-F1 {float32.macro_f1:.4f} in float32; "
        f"{int8.accuracy:.4f}, {int8.macro_f1:.4f} as it is served"
    )
    return report


def _read(wanted: Finetuning) -> tuple[list[Row], list[Row], tuple[str, ...]]:
    """(rows to learn from, dev rows, labels); what is wrong with the data is said aloud."""
    rows = _clean(wanted, wanted.train)
    labels = choose_labels(rows, wanted.least_rows, wanted.drop_rare, click.echo)
    rows = [row for row in rows if row.label in labels]
    if wanted.dev is None:
        share = wanted.dev_share or (0.2 if len(rows) < SMALL else 0.1)
        rows, dev = split(rows, share, wanted.seed)
        return rows, dev, labels
    dev = _clean(wanted, wanted.dev)
    if strange := list(dict.fromkeys(row.label for row in dev if row.label not in labels)):
        if not wanted.drop_rare:
            raise FinetuneRefused(f"{wanted.dev.name} has labels that {wanted.train.name} has not: {_name(strange)}")
        dev = [row for row in dev if row.label in labels]
    texts = {row.text for row in dev}
    kept = [row for row in rows if row.text not in texts]
    if len(kept) < len(rows):
        click.echo(f"{wanted.train.name}: {len(rows) - len(kept):,} texts left out that are dev rows, too")
    choose_labels(kept, 1, False, click.echo)
    return kept, dev, labels


def _clean(wanted: Finetuning, path: Path) -> list[Row]:
    return clean(read_table(path, wanted.columns, click.echo), wanted.renames, path.name, click.echo)


def _name(labels: tuple[str, ...] | list[str]) -> str:
    return ", ".join(labels[:8]) + (f" and {len(labels) - 8} more" if len(labels) > 8 else "")


def _digest(rows: list[Row]) -> str:
    lines = "".join(f"{len(text)} {text}{len(label)} {label}" for text, label in rows)
    return hashlib.sha256(lines.encode("utf-8", "surrogatepass")).hexdigest()
