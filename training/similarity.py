"""The recipe of the default similarity and embedding model: one Siamese encoder for both."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from scipy.stats import spearmanr
from sklearn.metrics import roc_auc_score
from tokenizers import Tokenizer
from torch.nn import functional

from structbert_lite.evaluate.figures import best_accuracy
from training.augment import change
from training.cross_encoder import read_tokenizer
from training.distil import PASSAGE, PREFIX
from training.examples import batches, encode, read_tsv
from training.loop import PAD, Recipe, finish, fit, pad, record
from training.own import Paraphrase, Question, judged, paraphrases, questions, searches
from training.retrieval import read_searches
from training.siamese import Siamese, encode_texts, load_siamese, save_siamese

RECIPE = Recipe(epochs=1, learning_rate=8e-5, layer_decay=0.9, dropout=0.0, token_mask=0.0, max_length=400, seed=31)
ROWS, QUESTIONS, SEARCHES = 24, 48, 40  # of a batch
SAME = {"pairs": (True, False, True, False), "same": (True,), "different": (False,)}  # meaning as the first text's
WINDOW = 600  # characters of a document; with 200, whole paragraphs were found worse (CMRC, nDCG@10: 0.90)
PUBLIC = 2000  # of the public searches in an epoch
TEMPERATURE = 0.02  # of cosines, in all contrastive losses
UNRELATED_WEIGHT = 0.2
KEEP_WEIGHT = 10  # of the distance to the deep base encoder's vectors
DEV_ROWS = 1000

Texts = list[str]


def run(data: Path, base: Path, teacher: Path, out: Path, recipe: Recipe = RECIPE) -> dict[str, float]:
    """Trains, writes the model to `out`, and returns the dev figures; `base` may be a run, for a further pass.

    `teacher` is the deep base encoder. Its vectors, which it gives with a prefix, are what this one is held to, without
    a prefix: it keeps what the base knows of any two texts while it learns from ours.
    """
    out.mkdir(parents=True, exist_ok=True)
    tokenizer = read_tokenizer(base)
    deep = load_siamese(teacher).eval()
    (kept, held), (asked, held_asked) = paraphrases(), questions()
    public = read_searches(data, WINDOW, 1, 0, recipe.seed)
    plans = [_plan(kept, asked, public, np.random.default_rng([recipe.seed, epoch])) for epoch in range(recipe.epochs)]
    torch.manual_seed(recipe.seed)

    def loss_of(model: Siamese, batch: tuple[str, list[Texts]]) -> torch.Tensor:
        kind, sides = batch
        vectors = _vectors(model, tokenizer, sides, recipe.max_length)
        with torch.inference_mode():
            prefixes = (PREFIX, PASSAGE, PASSAGE) if kind == "searches" else [PREFIX] * len(sides)
            spoken = [[prefix + text for text in side] for prefix, side in zip(prefixes, sides, strict=True)]
            wanted = _vectors(deep, tokenizer, spoken, recipe.max_length)
        apart = 1 - functional.cosine_similarity(torch.cat(vectors), torch.cat(wanted).clone()).mean()
        own = search_loss(*vectors, sides[1]) if kind == "searches" else pair_loss(model, vectors, SAME[kind])
        return own + KEEP_WEIGHT * apart

    def report(epoch: int, averaged: Siamese) -> None:
        save_siamese(averaged, base / "tokenizer.json", out)
        record(out, epoch, evaluate(averaged, tokenizer, held, held_asked, data))

    fit(load_siamese(base), plans, loss_of, recipe, out, report)
    return finish(out, recipe)


def evaluate(
    model: Siamese, tokenizer: Tokenizer, held: list[Paraphrase], asked: list[Question], data: Path
) -> dict[str, float]:
    """AUC and the best accuracy of pairs, Spearman of graded ones."""
    sets = {"own paraphrases": judged(held, []), "own questions": judged([], asked)}
    for name in ("lcqmc", "bq", "oppo_xiaobu", "stsb_zh"):
        rows = read_tsv(data / "similarity" / name / "dev.tsv")
        rows = [rows[i] for i in np.random.default_rng(0).permutation(len(rows))[:DEV_ROWS]]
        sets[name] = [(r["text_a"], r["text_b"], float(r["label"])) for r in rows]
    texts = sorted({text for pairs in sets.values() for a, b, _ in pairs for text in (a, b)})
    vectors = dict(zip(texts, encode_texts(model, tokenizer, texts), strict=True))
    figures = {}
    for name, pairs in sets.items():
        u, v = (torch.tensor(np.stack([vectors[pair[side]] for pair in pairs])) for side in (0, 1))
        truth = np.array([pair[2] for pair in pairs])
        with torch.no_grad():
            logit = model.match(u, v).numpy()
        if name == "stsb_zh":
            figures["STS-B, Spearman of cosines"] = float(spearmanr((u * v).sum(1).numpy(), truth)[0])
            figures["STS-B, Spearman"] = float(spearmanr(logit, truth)[0])
            continue
        figures[f"{name}, AUC"] = float(roc_auc_score(truth, logit))
        figures[f"{name}, best accuracy"] = best_accuracy(logit, truth > 0)[1]
    return figures


def pair_loss(model: Siamese, vectors: list[torch.Tensor], same: Sequence[bool]) -> torch.Tensor:
    """The order of texts of the same meaning among the batch's, and the matcher's word on each other text.

    `vectors` are those of the texts and of others, a list for each entry of `same`, which says whether they have the
    texts' meaning. Only the matcher learns from those of another meaning. Most of them share nearly all words with the
    text, and pushing them apart costs the encoder more of what it knows of any two texts than it can gain: a
    cross-encoder decides about those.
    """
    u, *others = vectors
    alike = torch.tensor(same).float().repeat_interleave(len(u))
    first, second = u.repeat(len(others), 1).detach(), torch.cat(others).detach()
    labelled = functional.binary_cross_entropy_with_logits(model.match(first, second), alike * 0.95 + 0.025)
    # Texts of different rows have nothing to do with each other, nearly always.
    strangers = model.match(u.detach(), others[0].roll(1, 0).detach())
    unrelated = functional.binary_cross_entropy_with_logits(strangers, torch.zeros(len(u)))
    target = torch.arange(len(u))
    order = [functional.cross_entropy(u @ v.T / TEMPERATURE, target) for v, s in zip(others, same, strict=True) if s]
    return labelled + UNRELATED_WEIGHT * unrelated + sum(order) / max(1, len(order))


def search_loss(u: torch.Tensor, v: torch.Tensor, wrong: torch.Tensor, answers: Texts) -> torch.Tensor:
    """InfoNCE (van den Oord 2018) in both directions: a query's own text against all others of the batch."""
    target = torch.arange(len(u))
    # The same document may answer two queries of a batch: it is no wrong answer to the other.
    same = torch.tensor([[a == b and i != j for j, b in enumerate(answers)] for i, a in enumerate(answers)])
    near = (u @ v.T / TEMPERATURE).masked_fill(same, -1e9)
    there = functional.cross_entropy(torch.cat([near, u @ wrong.T / TEMPERATURE], 1), target)
    return (there + functional.cross_entropy(near.T, target)) / 2


def _plan(
    kept: list[Paraphrase], asked: list[Question], public: list, rng: np.random.Generator
) -> list[tuple[str, list[Texts]]]:
    """Batches of one kind each, changed a little, in random order."""
    plan = []

    def add(kind: str, rows: list[tuple[str, ...]], size: int) -> None:
        for group in _split(rows, size, rng):
            plan.append((kind, [[change(text, rng) for text in side] for side in zip(*group, strict=True)]))

    add("pairs", [(p.text, p.same[0], p.other[0], p.same[1], p.other[1]) for p in kept], ROWS)
    add("same", [(q.text_a, q.text_b) for q in asked if q.same], QUESTIONS)
    add("different", [(q.text_a, q.text_b) for q in asked if not q.same], QUESTIONS)
    own = [(s.query, s.answer, s.misses[int(rng.integers(len(s.misses)))]) for s in searches()[0]]
    asked = [(s.query, s.answer, s.misses[0] if s.misses else "") for s in public]
    asked = [asked[i] for i in rng.permutation(len(asked))[:PUBLIC]]
    for rows in (own, asked):
        for group in _split(rows, SEARCHES, rng):
            strangers = [row[1] for row in group[1:] + group[:1]]
            wrong = [row[2] or stranger for row, stranger in zip(group, strangers, strict=True)]
            plan.append(("searches", [[row[0] for row in group], [row[1] for row in group], wrong]))
    return [plan[i] for i in rng.permutation(len(plan))]


def _split(rows: list, size: int, rng: np.random.Generator) -> list[list]:
    order = rng.permutation(len(rows))
    groups = [[rows[i] for i in order[start : start + size]] for start in range(0, len(rows), size)]
    return [group for group in groups if len(group) > 1]


def _vectors(model: Siamese, tokenizer: Tokenizer, sides: list[Texts], longest: int) -> list[torch.Tensor]:
    """Unit vectors of each side, computed in batches of about equal length."""
    rows = encode(tokenizer, [text for side in sides for text in side], longest)
    parts, places = [], []
    for batch in batches([len(r) for r in rows], 2048, None):
        ids = pad([rows[i] for i in batch])
        parts.append(model.vectors(ids, ids != PAD))
        places.append(torch.from_numpy(batch))
    found = torch.cat(parts)[torch.argsort(torch.cat(places))]
    return list(found.split([len(side) for side in sides]))
