"""What a finished graph with exits does, as the server runs it, beside the same graph without them."""

import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from export.early_exit.fit import Floats, softmax
from export.early_exit.graph import Exit
from export.early_exit.reading import ROUNDS, TIMED, batches
from export.early_exit.rows import Row
from export.early_exit.rules import ThreeWay, answers, three_way_of
from export.progress import Stage
from export.refusal import ExportRefused
from structbert_lite.inference.model import Session
from structbert_lite.inference.tokenizer import Encoding, Tokenizer
from structbert_lite.manifest import EarlyExit, Manifest
from structbert_lite.manifest import Exit as ExitFact


def check_exits(
    path: Path,
    rows: Sequence[Row],
    tokenizer: Tokenizer,
    manifest: Manifest,
    exits: Sequence[Exit],
    layers: int,
    agreement: float,
    stage: Stage,
) -> EarlyExit:
    """Facts for the manifest about the graph in `path`, of `layers` layers.

    Raises ExportRefused where fewer than `agreement` of `rows` get the answer that they get without exits.
    """
    sessions = [Session(path, manifest.inputs, manifest.pad_id, early_exit=on) for on in (True, False)]
    encodings = tokenizer.encode([row.text for row in rows])
    passed = np.zeros(len(rows), np.int64)
    logits = [np.zeros((len(rows), len(manifest.labels))) for _ in sessions]
    found: list[NDArray[np.int64]] = []
    for places in batches(encodings):
        batch = [encodings[i] for i in places]
        logits[0][places] = sessions[0].run(batch, found.append)
        logits[1][places] = sessions[1].run(batch)
        passed[places] = found[-1]
    rule = three_way_of(manifest)
    same = (answers(logits[0], rule) == answers(logits[1], rule)).all(axis=1)
    reached = float(same.mean())
    if reached < agreement:
        raise ExportRefused(
            f"with exits the answers are those of the model without for {reached:.2%} of {len(rows)} texts, "
            f"the bound is {agreement:.2%}; more texts, or such as the model will read, make better exits"
        )
    accuracies = [_accuracy(values, rows, manifest) for values in logits]
    facts = EarlyExit(
        layers=layers,
        exits=tuple(
            ExitFact(
                layer=found.layer.passed,
                label=found.room.label,
                opinion=found.room.opinion,
                neutral=found.room.neutral,
                share=float((passed == found.layer.passed).mean()),
            )
            for found in exits
        ),
        texts=len(rows),
        asked=agreement,
        agreement=reached,
        score_change=_score_change((logits[0], logits[1]), rule),
        time=_time_ratio(sessions, encodings),
        accuracy=accuracies[0],
        accuracy_without=accuracies[1],
    )
    shares = ", ".join(f"{found.share:.0%} after {found.layer}" for found in facts.exits)
    stage.say(f"{shares} leave; the same answer for {reached:.2%} of {len(rows)} texts (bound {agreement:.1%})")
    stage.say(f"{facts.time:.2f} of the CPU time")
    return facts


def _accuracy(logits: Floats, rows: Sequence[Row], manifest: Manifest) -> float | None:
    """The share of labelled rows whose label is answered, of the labels that an answer may have by default."""
    answered = manifest.answered_labels(False)
    places = [manifest.labels.index(label) for label in answered]
    labelled = [i for i, row in enumerate(rows) if row.label in answered]
    if not labelled:
        return None
    best = logits[labelled][:, places].argmax(axis=1)
    return float(np.mean([answered[found] == rows[i].label for found, i in zip(best, labelled, strict=True)]))


def _score_change(logits: tuple[Floats, Floats], rule: ThreeWay | None) -> float:
    if rule is not None:
        opinions = [rule.places[0], rule.places[2]]
        logits = logits[0][:, opinions], logits[1][:, opinions]
    return float(np.abs(softmax(logits[0]) - softmax(logits[1])).max(axis=1).mean())


def _time_ratio(sessions: Sequence[Session], encodings: list[Encoding]) -> float:
    """CPU time of the first session by that of the second, over texts alone: the median of rounds in turn."""
    ratios = []
    for _ in range(ROUNDS):
        seconds = []
        for session in sessions:
            began = time.process_time()
            for encoding in encodings[:TIMED]:
                session.run([encoding])
            seconds.append(time.process_time() - began)
        ratios.append(seconds[0] / seconds[1])
    return float(np.median(ratios))
