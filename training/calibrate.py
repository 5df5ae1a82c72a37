"""What a model's answers are read with, chosen on rows that it has not seen: thresholds, and the lines of small heads.

Reads the int8 model, so that what is fitted is what is served, and writes CALIBRATION (and the reranker's table of term
weights) into the run; exported again, the model has them in its manifest.
"""

import json
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression

from export.describe import write_manifest
from export.platt import fit_platt, sigmoid
from export.thresholds import choose_thresholds
from structbert_lite.inference.bulk_runner import BulkRunner
from structbert_lite.inference.model import Model
from structbert_lite.inference.resources import usable_cpus
from structbert_lite.inference.runner import ModelRunner
from structbert_lite.manifest import LEXICAL_NAME, Calibration, Decider, Thresholds, read_manifest
from structbert_lite.registry import open_pipeline
from structbert_lite.request_context import RequestContext
from structbert_lite.tasks.lexical import bucket, overlap, terms
from structbert_lite.tasks.matcher import PairMatcher
from structbert_lite.tasks.scores import pair_logit, same_logit
from training.own import Search, choices, judged, opinions, paraphrases, questions, searches
from training.retrieval import read_searches
from training.sentiment import NAMES

CALIBRATION = "calibration.json"
SURE = 0.97  # of the answers that are not uncertain, how many have to be right
MOST_UNSURE = 0.15  # of the texts with an opinion
# Of the vectors' logit beside the cross-encoder's. A free fit would give them an eighth: the cross-encoder was trained
# on pairs like those that are held out here, and is less sure of itself on others.
VECTORS_SHARE = 0.7
# Of the pairs of one meaning, how many the vectors may decide against without the cross-encoder: far paraphrases are
# among them. Asked about more it takes order out of pairs that have little to do with each other (docs/training.md).
UNASKED = 0.05
BUCKETS = 1 << 16  # of the table of term weights
SAMPLE = 400  # searches of each public set that a reranker's line is fitted to


def calibrate(task: str, model: Path, run: Path, data: Path | None) -> dict[str, Any]:
    """Fits what `task` needs on the int8 model in the folder `model`; returns what it wrote to `run`, and figures."""
    # The model by itself: the one that a similarity model asks may be another than it was made for.
    with closing(BulkRunner(Model.load(model), usable_cpus())) as runner:
        fit = {"sentiment": _sentiment, "zero-shot": _zero_shot, "similarity": _similarity, "rerank": _rerank}[task]
        found, figures = fit(runner, run, data)
    (run / CALIBRATION).write_text(json.dumps(found, indent=2), encoding="utf-8")
    return {**found, "figures": figures}


def renew(model: Path, found: dict[str, Any]) -> None:
    """Gives the similarity model in the folder `model` what `calibrate` has found: the model that it asks is another.

    Raises KeyError for what was found of another task.
    """
    line = Calibration(scale=found["scale"], bias=found["bias"])
    levels = Thresholds(low=found["low"], high=found["high"])
    fields = {"calibration": line, "thresholds": levels, "decider": Decider.model_validate(found["decider"])}
    write_manifest(model, read_manifest(model).model_copy(update=fields))


def _logits(runner: ModelRunner, inputs: Sequence[tuple[str, ...]], read_once: bool = False) -> np.ndarray:
    rows = []
    for start in range(0, len(inputs), 64):
        rows += runner.run(list(inputs[start : start + 64]), RequestContext(), read_once=read_once)
    return np.stack([row.values for row in rows]).astype(np.float64)


def _sentiment(runner: ModelRunner, run: Path, data: Path | None) -> tuple[dict, dict]:
    """Of the thresholds that leave at most MOST_UNSURE of the opinions unsure and SURE of the rest right, those that
    call the most texts without an opinion uncertain; where none reach SURE, those that come nearest.
    """
    _, held = opinions()
    labels = [label.lower() for label in runner.manifest.labels]
    logits = _logits(runner, [(o.text,) for o in held])[:, [labels.index(name) for name in NAMES]]
    truth = np.array([NAMES[o.label] for o in held])
    three = np.exp(logits - np.logaddexp.reduce(logits, axis=1, keepdims=True))
    margin = np.abs(np.tanh((logits[:, 2] - logits[:, 0]) / 2))
    right, sided = (logits[:, 2] > logits[:, 0]) == (truth == 2), truth != 1
    best: tuple = ()
    for neutral in np.arange(0.2, 0.96, 0.02):
        for least in np.arange(0.0, 0.96, 0.05):
            unsure = (three[:, 1] >= neutral) | (margin < least)
            certain = sided & ~unsure
            share, sure = float(unsure[sided].mean()), float(right[certain].mean())
            found = float(unsure[~sided].mean())
            rank = (share <= MOST_UNSURE, min(sure, SURE), found)
            if not best or rank > best[0]:
                best = (
                    rank,
                    neutral,
                    least,
                    {"right where certain": sure, "opinions uncertain": share, "neutral found": found},
                )
    _, neutral, least, figures = best
    return {"neutral": round(float(neutral), 2), "margin": round(float(least), 2)}, figures


def _zero_shot(runner: ModelRunner, run: Path, data: Path | None) -> tuple[dict, dict]:
    """A line through the best label's logit: texts with the label that fits, and the same ones without it."""
    _, held = choices()
    labels = runner.manifest.labels
    entailed, contradicted = labels.index("entailment"), labels.index("contradiction")
    logits = _logits(runner, [(c.text, label) for c in held for label in (c.fits, *c.wrong)], read_once=True)
    margins = (logits[:, entailed] - logits[:, contradicted]).reshape(len(held), -1)
    highest = np.concatenate([margins.max(1), margins[:, 1:].max(1)])
    fits = [1] * len(held) + [0] * len(held)
    scale, bias = fit_platt(highest, fits)
    figures = {"right": float(np.mean((sigmoid(scale * highest + bias) > 0.5) == np.array(fits, bool)))}
    return {"none": {"scale": scale, "bias": bias}}, figures


def _similarity(runner: ModelRunner, run: Path, data: Path | None) -> tuple[dict, dict]:
    """Platt's line for the vectors alone, and a line through both logits where the cross-encoder beside it is asked."""
    pairs = judged(paraphrases()[1], questions()[1])
    truth = np.array([same for *_, same in pairs], int)
    texts = sorted({text for a, b, _ in pairs for text in (a, b)})
    vectors = dict(zip(texts, _logits(runner, [(text,) for text in texts]), strict=True))
    matcher = PairMatcher.load(runner.folder, runner.manifest)
    own = np.array([matcher.logit(vectors[a], vectors[b]) for a, b, _ in pairs])
    # Texts of different rows have nothing to do with each other, as most pairs that a server is asked about.
    strangers = [matcher.logit(vectors[a], vectors[pairs[(i + 7) % len(pairs)][1]]) for i, (a, *_) in enumerate(pairs)]
    scale, bias = fit_platt(np.append(own, strangers), [*truth.tolist(), *[0] * len(strangers)])
    with open_pipeline("zero-shot", runner.folder.parent / "zero-shot") as other:
        said = other.runner.manifest.labels
        both = [_logits(other.runner, [(p[i], p[1 - i]) for p in pairs]) for i in (0, 1)]
        z = np.mean([[same_logit(row, said) for row in rows] for rows in both], axis=0)
    weight, shift = fit_platt(z + VECTORS_SHARE * own, truth.tolist())
    scores = sigmoid(weight * (z + VECTORS_SHARE * own) + shift)
    by_vectors = sigmoid(scale * own + bias)
    asked_from = float(np.quantile(by_vectors[truth == 1], UNASKED))
    scores = np.where(by_vectors >= asked_from, scores, by_vectors)
    chosen = choose_thresholds(scores, truth.tolist())
    decider = {
        "model": "zero-shot",
        "digest": read_manifest(runner.folder.parent / "zero-shot").digest,
        "asked_from": asked_from,
        "scale": weight,
        "encoder_scale": VECTORS_SHARE * weight,
        "bias": shift,
    }
    figures = {
        "right": float(np.mean((scores > 0.5) == truth)),
        "encoder alone": float(np.mean((by_vectors > 0.5) == truth)),
        "asked": float(np.mean(by_vectors >= asked_from)),
        "asked of unrelated texts": float(np.mean(sigmoid(scale * np.array(strangers) + bias) >= asked_from)),
    }
    facts = {"scale": scale, "bias": bias, "low": chosen.low, "high": chosen.high, "decider": decider}
    return facts, figures


def _rerank(runner: ModelRunner, run: Path, data: Path | None) -> tuple[dict, dict]:
    """Term weights from the texts that the reranker was trained on, and a line through its logit and both shares."""
    public = read_searches(data, 200, 3, 0, 77) if data else []
    own, held = searches()
    background = [text for s in [*own, *public] for text in (s.answer, *s.misses)]
    background += [o.text for o in opinions()[0]]
    fold = runner.tokenizer.fold
    counts: Counter[int] = Counter()
    lengths = []
    for text in background:
        found = list(terms(fold(text)))
        lengths.append(len(found))
        counts.update({bucket(term, BUCKETS) for term in found})
    number = np.array([counts[i] for i in range(BUCKETS)], np.float64)
    idf = np.log1p((len(background) - number + 0.5) / (number + 0.5)).astype(np.float32)
    average = float(np.mean(lengths))
    rng = np.random.default_rng(5)
    chosen = list(held)
    for kind in sorted({s.kind for s in public}):
        same = [s for s in public if s.kind == kind]
        chosen += [same[i] for i in rng.permutation(len(same))[:SAMPLE]]
    features, truth, sizes = _features(runner, chosen, idf, average)
    line = LogisticRegression(C=10.0).fit(features, truth)
    weights = [float(w) for w in line.coef_[0]]
    np.savez_compressed(run / LEXICAL_NAME, idf=idf)
    facts = dict(zip(("logit_scale", "share", "saturation"), weights, strict=True))
    facts |= {"bias": float(line.intercept_[0]), "average_length": average}
    figures = {}
    for name, scores in {"model alone": features[:, 0], "fused": features @ weights}.items():
        parts = np.split(scores, np.cumsum(sizes)[:-1])
        first = np.array([part.argmax() == 0 for part in parts])
        figures[name] = {"own": float(first[: len(held)].mean()), "public": float(first[len(held) :].mean())}
    return {"lexical": facts}, figures


def _features(
    runner: ModelRunner, chosen: Sequence[Search], idf: np.ndarray, average: float
) -> tuple[np.ndarray, np.ndarray, list[int]]:
    """float64 [pairs, 3], whether each is the answer, and how many texts each search has."""
    pairs = [(s.query, text) for s in chosen for text in (s.answer, *s.misses)]
    truth = np.array([i == 0 for s in chosen for i in range(1 + len(s.misses))], int)
    logits = [pair_logit(row) for row in _logits(runner, pairs)]
    fold = runner.tokenizer.fold
    shares = [overlap(fold(query), fold(text), idf, average) for query, text in pairs]
    return np.column_stack([logits, np.array(shares)]), truth, [1 + len(s.misses) for s in chosen]
