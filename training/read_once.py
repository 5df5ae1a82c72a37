"""The zero-shot model goes on from its own weights under the mask of prefix.py, taught by what it said before.

Pairs of like sentences, which the similarity model asks it about, keep the full mask: a part of them is read on, so
that nothing of that is unlearnt.
"""

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer
from torch.nn import functional
from transformers import BertForSequenceClassification

from export.prefix.packed import Packed
from structbert_lite.inference.model import Model
from training.augment import change
from training.cross_encoder import Rows, encode_pairs, logits_of, predict_pairs, read_tokenizer, start_cross_encoder
from training.examples import batches
from training.loop import Recipe, finish, fit, record
from training.own import Inference, choices, inferences, judged, opinions, paraphrases, questions
from training.prefix import encode_group, group_logits, predict_groups
from training.zero_shot import (
    LABELS,
    RECIPE,
    alike,
    choice_groups,
    label_loss,
    opinion_groups,
    paraphrase_pairs,
    relation_loss,
    topic_groups,
)

PASS = replace(RECIPE, epochs=1, learning_rate=1e-4, token_budget=1024, average=0.995)
PAIRS = 0.1  # of the pairs under the full mask, read in an epoch
TAUGHT = 2.0  # weight of the squared distance to the teacher's logits beside the loss of the labels


@dataclass(frozen=True, slots=True)
class Group:
    """A text and what is said of it; `relations` of each, or None where the first is a label that fits.

    Where it is not `taught`, only the relations are learnt, not what the teacher says.
    """

    text: str
    said: tuple[str, ...]
    relations: tuple[int, ...] | None
    taught: bool = True


@dataclass(frozen=True, slots=True)
class Pass:
    """What an epoch reads: groups, packed, and pairs under the full mask with their relations."""

    groups: list[Group]
    packed: list[Packed]
    pairs: list[tuple[str, str]]
    relations: list[int]
    rows: Rows


def run(
    base: Path,
    teacher: Path,
    out: Path,
    recipe: Recipe = PASS,
    draw: Callable[[Tokenizer, Recipe, int], Pass] | None = None,
    also: Callable[[BertForSequenceClassification, Tokenizer], dict[str, float]] = lambda model, tokenizer: {},
) -> dict[str, float]:
    """Trains, writes the model to `out`, and returns the figures on rows held out; resumable.

    `base`: the run to go on from; `teacher`: the int8 model whose logits are learnt, a tenth of them under the full
    mask; `draw` what an epoch reads, by default all of what `draw_texts` has; `also` gives more figures.
    """
    out.mkdir(parents=True, exist_ok=True)
    shutil.copy(base / "tokenizer.json", out / "tokenizer.json")
    tokenizer = read_tokenizer(out)
    taught = Model.load(teacher)
    passes = [(draw or draw_texts)(tokenizer, recipe, epoch) for epoch in range(recipe.epochs)]
    plans = [_plan(read, number, recipe) for number, read in enumerate(passes)]

    def loss_of(model: BertForSequenceClassification, batch: tuple[int, bool, Sequence[int]]) -> torch.Tensor:
        read, grouped, numbers = passes[batch[0]], batch[1], batch[2]
        if not grouped:
            logits = logits_of(model, read.rows, numbers, recipe.token_mask, tokenizer)
            wanted = _ask(taught, [read.pairs[i] for i in numbers])
            own = relation_loss(logits, torch.tensor([read.relations[i] for i in numbers]))
            return own + TAUGHT * functional.mse_loss(logits, wanted)
        groups = [read.groups[i] for i in numbers]
        logits = group_logits(model, [read.packed[i] for i in numbers], recipe.token_mask, tokenizer)
        parts = logits.split([len(group.said) for group in groups])
        losses = []
        if by_teacher := [(p, g) for p, g in zip(parts, groups, strict=True) if g.taught]:
            wanted = _ask(taught, [(group.text, said) for _, group in by_teacher for said in group.said])
            share = len(wanted) / len(logits)
            losses.append(TAUGHT * functional.mse_loss(torch.cat([p for p, _ in by_teacher]), wanted) * share)
        related = [(p, g.relations) for p, g in zip(parts, groups, strict=True) if g.relations is not None]
        labelled = [p for p, g in zip(parts, groups, strict=True) if g.relations is None]
        if related:
            relations = torch.tensor([r for _, found in related for r in found])
            losses.append(relation_loss(torch.cat([p for p, _ in related]), relations) * len(related) / len(groups))
        if labelled:
            share = len(labelled) / len(groups)
            losses.append(label_loss(torch.cat(labelled), [len(p) for p in labelled]) * share)
        return torch.stack(losses).sum()

    def report(epoch: int, averaged: BertForSequenceClassification) -> None:
        averaged.config.prefix_attention = True
        averaged.save_pretrained(out)
        record(out, epoch, evaluate(averaged, taught, tokenizer) | also(averaged, tokenizer))

    fit(start_cross_encoder(base, LABELS, recipe.seed), plans, loss_of, recipe, out, report)
    return finish(out, recipe)


def evaluate(model: BertForSequenceClassification, teacher: Model, tokenizer: Tokenizer) -> dict[str, float]:
    """Shares right on rows held out, this model's and the teacher's, and how far their logits lie apart."""
    statements, labelled = inferences()[1], choices()[1]
    figures: dict[str, float] = {}
    for name, groups in (
        ("own statements", [(i.text, (i.entailed, i.neutral, i.contradicted)) for i in statements]),
        ("own labels", [(c.text, (c.fits, *c.wrong)) for c in labelled]),
    ):
        wanted = _ask(teacher, [(text, said) for text, labels in groups for said in labels]).numpy()
        for whose, logits in (("", predict_groups(model, tokenizer, groups, 512)), (", teacher", wanted)):
            if name == "own labels":
                right = logits[:, 0].reshape(-1, 3).argmax(1) == 0
            else:
                right = logits.argmax(1) == np.tile([0, 1, 2], len(groups))
            figures[name + whose] = float(right.mean())
            figures[f"{name}{whose}, distance"] = float(np.abs(logits - wanted).mean())
    pairs = judged(paraphrases()[1][:100], questions()[1])
    asked = [(a, b) for a, b, _ in pairs]
    truth = np.array([same for *_, same in pairs])
    for whose, logits in (("", predict_pairs(model, tokenizer, asked, 512)), (", teacher", _ask(teacher, asked))):
        figures[f"pairs{whose}"] = float(np.mean((alike(np.asarray(logits)) > 0) == truth))
    return figures


def _ask(teacher: Model, pairs: Sequence[tuple[str, str]]) -> torch.Tensor:
    """The teacher's logits under the full mask, float32 [pairs, 3]."""
    encodings = teacher.tokenize(list(pairs))
    out = np.zeros((len(pairs), teacher.width), np.float32)
    for batch in batches([len(encoding) for encoding in encodings], 512, None):
        out[batch] = teacher.infer([encodings[i] for i in batch])
    return torch.from_numpy(out)


def draw_texts(
    tokenizer: Tokenizer, recipe: Recipe, epoch: int, share: float = 1.0, pairs_share: float = PAIRS
) -> Pass:
    """What an epoch reads: a `share` of the texts, and of the pairs under the full mask another."""
    rng = np.random.default_rng([recipe.seed, epoch, 7])
    groups = [
        *topic_groups(epoch + 3, rng),
        *choice_groups(choices()[0], rng),
        *opinion_groups(opinions()[0], rng),
    ]
    read = [Group(change(group[0][0], rng), tuple(said for _, said in group), None) for group in groups]
    read += [_statements(row, rng) for row in inferences()[0]]
    pairs = [p for p in paraphrase_pairs(paraphrases()[0], questions()[0], rng) if rng.random() < pairs_share]
    if share < 1:
        read = [read[i] for i in rng.permutation(len(read))[: int(share * len(read))]]
    packed = [encode_group(tokenizer, group.text, group.said, recipe.max_length) for group in read]
    texts = [(change(a, rng), change(b, rng)) for a, b, _ in pairs]
    return Pass(read, packed, texts, [r for *_, r in pairs], encode_pairs(tokenizer, texts, recipe.max_length))


def _statements(row: Inference, rng: np.random.Generator) -> Group:
    said = tuple(change(text, rng) for text in (row.entailed, row.neutral, row.contradicted))
    return Group(change(row.text, rng), said, (0, 1, 2))


def _plan(read: Pass, number: int, recipe: Recipe) -> list[tuple[int, bool, np.ndarray]]:
    rng = np.random.default_rng([recipe.seed, number, 8])
    lengths = [len(row.ids) for row in read.packed]
    plan = [(number, True, batch) for batch in batches(lengths, recipe.token_budget, rng)]
    plan += [(number, False, batch) for batch in batches([len(row) for row in read.rows[0]], recipe.token_budget, rng)]
    return [plan[i] for i in rng.permutation(len(plan))]
