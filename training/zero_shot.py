"""The recipe of the default zero-shot model: does a text entail what another says, a statement, a label, a paraphrase?

The same model decides between two texts that a Siamese model takes for alike, so it learns from paraphrases as well.
"""

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from sklearn.metrics import roc_auc_score
from tokenizers import Tokenizer
from torch.nn import functional
from transformers import BertForSequenceClassification

from training.augment import change
from training.cross_encoder import Rows, encode_pairs, logits_of, predict_pairs, read_tokenizer, start_cross_encoder
from training.examples import batches, read_tsv
from training.label_sets import LONGEST, Labelled, draw_candidates, read_own, reword
from training.loop import Recipe, finish, fit, record
from training.own import (
    Choice,
    Inference,
    Opinion,
    Paraphrase,
    Question,
    choices,
    inferences,
    judged,
    opinions,
    paraphrases,
    questions,
)

LABELS = (
    "entailment",
    "neutral",
    "contradiction",
)  # as StructBERT's zero-shot models
NOT_ENTAILED = -1  # neutral or contradiction: what a pair of another meaning is, nobody said which
RECIPE = Recipe(
    epochs=3,
    learning_rate=1e-4,  # at 2.5e-4, which eight layers learn at, twelve learnt nothing in an epoch
    layer_decay=0.95,
    dropout=0.0,
    token_mask=0.05,
    max_length=256,
    token_budget=2048,
    seed=23,
)
WRONG = 3  # wrong labels of a set beside the right one
SHARE = 8  # each epoch sees one in so many of the texts with topics
OPINIONS = 1500  # texts of the sentiment set in an epoch
TEMPLATES = (
    "这是一条关于{}的新闻",
    "这句话的类别是{}",
    "这段话说的是{}",
    "这条信息属于{}",
    "主题：{}",
    "{}类",
    "用户的意图是{}",
    "This text is about {}.",
)
PLAIN = 0.7  # share of bare labels, which is what the server sends unless it is told otherwise
REWORDED = 0.2  # share of texts whose candidates stand in other words
SIDES = {
    "positive": ("正面", "好评", "积极", "满意", "Positive", "喜欢", "positive review", "表扬", "推荐"),
    "negative": ("负面", "差评", "消极", "不满意", "Negative", "讨厌", "negative review", "投诉", "不推荐"),
    "neutral": ("中性", "没有表态", "中立", "无所谓", "Neutral", "没有情绪", "no opinion", "陈述事实", "没说好坏"),
}  # one place in all three is one set of labels
GOOD = ("{}好", "{}不错", "{}令人满意", "对{}满意", "夸{}", "{}正面")
BAD = ("{}差", "{}不好", "{}令人失望", "对{}不满意", "抱怨{}", "{}负面")  # in the order of GOOD
THUCNEWS = {"finance": "财经", "realty": "房产", "stocks": "股票", "education": "教育", "science": "科技"}
THUCNEWS |= {"society": "社会", "politics": "时政", "sports": "体育", "game": "游戏", "entertainment": "娱乐"}
TNEWS = {"story": "故事", "culture": "文化", "entertainment": "娱乐", "sports": "体育", "finance": "财经"}
TNEWS |= {"house": "房产", "car": "汽车", "edu": "教育", "tech": "科技", "military": "军事", "travel": "旅游"}
TNEWS |= {"world": "国际", "stock": "股票", "agriculture": "农业", "game": "游戏"}
DEV_ROWS = 200  # of a public set, for the quick look after an epoch

Pair = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Batches:
    """What an epoch reads: ids of pairs, groups of them of which the first is right, relations of the rest."""

    rows: Rows
    groups: list[list[int]]
    relations: dict[int, int]


def run(
    data: Path | None,
    base: Path,
    out: Path,
    recipe: Recipe = RECIPE,
    newest: Sequence[str] = (),
    share: float = 1.0,
) -> dict[str, float]:
    """Trains, writes the model to `out`, and returns the dev figures; without `data` of own rows only.

    Of rows whose subject is not among `newest` only a `share` is read in each epoch, chosen anew.
    """
    out.mkdir(parents=True, exist_ok=True)
    shutil.copy(base / "tokenizer.json", out / "tokenizer.json")
    tokenizer = read_tokenizer(out)
    parts = [inferences(), choices(), paraphrases(), questions(), opinions()]
    kept, held = [part[0] for part in parts], [part[1] for part in parts]
    epochs = [_draw(kept, tokenizer, recipe, epoch, newest, share) for epoch in range(recipe.epochs)]
    plans = [_plan(epoch, number, recipe) for number, epoch in enumerate(epochs)]

    def loss_of(model: BertForSequenceClassification, batch: tuple[int, list]) -> torch.Tensor:
        epoch, numbers = epochs[batch[0]], batch[1]
        if isinstance(numbers[0], list):
            flat = [i for group in numbers for i in group]
            logits = logits_of(model, epoch.rows, flat, recipe.token_mask, tokenizer)
            return label_loss(logits, [len(group) for group in numbers])
        logits = logits_of(model, epoch.rows, numbers, recipe.token_mask, tokenizer)
        return relation_loss(logits, torch.tensor([epoch.relations[i] for i in numbers]))

    def report(epoch: int, averaged: BertForSequenceClassification) -> None:
        averaged.save_pretrained(out)
        record(out, epoch, evaluate(averaged, tokenizer, held, data))

    fit(start_cross_encoder(base, LABELS, recipe.seed), plans, loss_of, recipe, out, report)
    return finish(out, recipe)


def label_loss(logits: torch.Tensor, sizes: list[int]) -> torch.Tensor:
    """As the server reads the logits of a text's labels: softmax over the labels, and each label by itself."""
    parts = logits[:, 0].split(sizes)
    first = torch.zeros(1, dtype=torch.long)
    order = torch.stack([functional.cross_entropy(part[None], first, label_smoothing=0.05) for part in parts])
    truth = torch.cat([functional.one_hot(torch.tensor(0), len(part)).float() for part in parts])
    alone = functional.binary_cross_entropy_with_logits(logits[:, 0] - logits[:, 2], truth * 0.95 + 0.02)
    return order.mean() + 0.5 * alone


def relation_loss(logits: torch.Tensor, relations: torch.Tensor) -> torch.Tensor:
    """Cross-entropy over three relations; of NOT_ENTAILED it is that of the two others together."""
    logs = functional.log_softmax(logits, -1)
    either = torch.logsumexp(logs[:, 1:], -1)
    of_one = logs.gather(1, relations.clamp(min=0)[:, None])[:, 0] * 0.95 + logs.mean(-1) * 0.05
    return -torch.where(relations == NOT_ENTAILED, either, of_one).mean()


def alike(logits: np.ndarray) -> np.ndarray:
    """How much more likely entailment is than anything else, as a logit, float32 [pairs]."""
    return logits[:, 0] - np.logaddexp(logits[:, 1], logits[:, 2])


def evaluate(
    model: BertForSequenceClassification, tokenizer: Tokenizer, held: list[list], data: Path | None
) -> dict[str, float]:
    """Shares right on own rows held out, and of the best label on public sets of labels."""

    def ask(pairs: Sequence[Pair]) -> np.ndarray:
        return predict_pairs(model, tokenizer, pairs, RECIPE.max_length)

    statements, labelled, doubles, asked, _ = held
    pairs = [(i.text, said) for i in statements for said in (i.entailed, i.neutral, i.contradicted)]
    figures = {"own statements": float(np.mean(ask(pairs).argmax(1) == np.tile([0, 1, 2], len(statements))))}
    logits = ask([(c.text, label) for c in labelled for label in (c.fits, *c.wrong)])[:, 0].reshape(-1, 3)
    figures["own labels"] = float(np.mean(logits.argmax(1) == 0))
    figures |= _judge_pairs("own paraphrases", judged(doubles, []), ask)
    figures |= _judge_pairs("own questions", judged([], asked), ask)
    if data is None:
        return figures
    topics = {
        "THUCNews, 10 labels": ("topic/thucnews_titles/dev.tsv", lambda label: THUCNEWS[label]),
        "TNEWS, 15 labels": ("topic/tnews_dataclue/dev.tsv", lambda label: TNEWS[label.removeprefix("news_")]),
        "CSL, 13 labels": ("topic/csl_category_title/dev.tsv", str),
    }
    for name, (file, rename) in topics.items():
        rows = read_tsv(data / file)
        rows = [rows[i] for i in np.random.default_rng(0).permutation(len(rows))[:DEV_ROWS]]
        labels = sorted({rename(row["label"]) for row in rows})
        scores = ask([(row["text"], label) for row in rows for label in labels])[:, 0].reshape(len(rows), -1)
        right = [labels[best] == rename(row["label"]) for best, row in zip(scores.argmax(1), rows, strict=True)]
        figures[name] = float(np.mean(right))
    for name in ("lcqmc", "bq"):
        rows = read_tsv(data / "similarity" / name / "dev.tsv")
        rows = [rows[i] for i in np.random.default_rng(0).permutation(len(rows))[:DEV_ROWS]]
        figures |= _judge_pairs(name, [(r["text_a"], r["text_b"], r["label"] == "1") for r in rows], ask)
    return figures


def _judge_pairs(
    name: str, pairs: Sequence[tuple[str, str, bool]], ask: Callable[[Sequence[Pair]], np.ndarray]
) -> dict[str, float]:
    score = (alike(ask([(a, b) for a, b, _ in pairs])) + alike(ask([(b, a) for a, b, _ in pairs]))) / 2
    truth = np.array([same for *_, same in pairs])
    right = (score > 0) == truth
    return {
        name: float(right.mean()),
        f"{name}, same": float(right[truth].mean()),
        f"{name}, AUC": float(roc_auc_score(truth, score)),
    }


def _draw(
    kept: list[list], tokenizer: Tokenizer, recipe: Recipe, epoch: int, newest: Sequence[str], share: float
) -> Batches:
    rng = np.random.default_rng([recipe.seed, epoch])
    reviews = kept[-1]
    statements, labelled, doubles, asked = (
        [r for r in rows if r.subject in newest or rng.random() < share] for rows in kept[:-1]
    )
    topics = [group for group in topic_groups(epoch, rng) if rng.random() < share]
    opinions = [group for group in opinion_groups(reviews, rng) if rng.random() < share]
    groups = [*topics, *choice_groups(labelled, rng), *opinions]
    singles = [*_statement_pairs(statements), *paraphrase_pairs(doubles, asked, rng)]
    pairs = [(change(a, rng), b) for group in groups for a, b in group]
    pairs += [(change(a, rng), change(b, rng)) for a, b, _ in singles]
    numbers, members = 0, []
    for group in groups:
        members.append(list(range(numbers, numbers + len(group))))
        numbers += len(group)
    relations = {numbers + i: relation for i, (*_, relation) in enumerate(singles)}
    return Batches(encode_pairs(tokenizer, pairs, recipe.max_length), members, relations)


def topic_groups(epoch: int, rng: np.random.Generator) -> list[list[Pair]]:
    own = read_own()
    order = np.random.default_rng(RECIPE.seed).permutation(len(own))
    chosen = [own[i] for i in order[epoch % SHARE :: SHARE]]
    others = sorted({label for e in chosen for label in e.labels})
    return [_group(e, others, rng) for e in chosen]


def _group(example: Labelled, others: list[str], rng: np.random.Generator) -> list[Pair]:
    labels = draw_candidates(example, others, WRONG, rng)
    if rng.random() < REWORDED:
        labels = reword(labels, rng)
    return _hypotheses(example.text[:LONGEST], labels, rng)


def choice_groups(rows: Sequence[Choice], rng: np.random.Generator) -> list[list[Pair]]:
    """The labels that were written for the text, and in half of the cases one of another text."""
    groups = []
    for row in rows:
        labels = [row.fits, *row.wrong]
        stranger = rows[int(rng.integers(len(rows)))].wrong[1]
        if rng.random() < 0.5 and stranger not in labels:
            labels.append(stranger)
        groups.append(_hypotheses(row.text, labels, rng))
    return groups


def opinion_groups(rows: Sequence[Opinion], rng: np.random.Generator) -> list[list[Pair]]:
    """Which side a review is on, in many words; and of an aspect that it names, whether it is good."""
    groups = []
    for i in rng.permutation(len(rows))[:OPINIONS]:
        row = rows[i]
        text = row.text[:200]
        named = [a for a in row.aspects if a[-1:] in "+-" and len(a) > 1]
        if named and rng.random() < 0.5:
            aspect = named[int(rng.integers(len(named)))]
            form = int(rng.integers(len(GOOD)))
            right, wrong = (GOOD, BAD) if aspect[-1] == "+" else (BAD, GOOD)
            groups.append(_hypotheses(text, [right[form].format(aspect[:-1]), wrong[form].format(aspect[:-1])], rng))
        else:
            form = int(rng.integers(len(SIDES["neutral"])))
            sides = [row.label, *(side for side in SIDES if side != row.label)]
            groups.append(_hypotheses(text, [SIDES[side][form] for side in sides], rng))
    return groups


def _hypotheses(text: str, labels: Sequence[str], rng: np.random.Generator) -> list[Pair]:
    template = "{}" if rng.random() < PLAIN else TEMPLATES[int(rng.integers(len(TEMPLATES)))]
    return [(text, template.replace("{}", label)) for label in labels]


def _statement_pairs(rows: Sequence[Inference]) -> list[tuple[str, str, int]]:
    said = [(row, (row.entailed, row.neutral, row.contradicted)) for row in rows]
    return [(row.text, text, relation) for row, texts in said for relation, text in enumerate(texts)]


def paraphrase_pairs(
    rows: Sequence[Paraphrase], asked: Sequence[Question], rng: np.random.Generator
) -> list[tuple[str, str, int]]:
    """Each pair in one order, drawn anew; what is served reads both."""
    pairs = [(a, b, 0 if same else NOT_ENTAILED) for a, b, same in judged(rows, asked)]
    pairs += [(row.other[0], row.same[0], NOT_ENTAILED) for row in rows]
    return [(b, a, relation) if rng.random() < 0.5 else (a, b, relation) for a, b, relation in pairs]


def _plan(epoch: Batches, number: int, recipe: Recipe) -> list[tuple[int, list]]:
    """Batches of whole groups and of pairs by themselves, each of about equal length, in random order."""
    rng = np.random.default_rng([recipe.seed, number, 1])
    lengths = list(map(len, epoch.rows[0]))
    singles = list(epoch.relations)
    sizes = [len(g) * max(lengths[i] for i in g) for g in epoch.groups]
    plan = [(number, [epoch.groups[i] for i in batch]) for batch in batches(sizes, recipe.token_budget, rng)]
    plan += [
        (number, [singles[i] for i in batch])
        for batch in batches([lengths[i] for i in singles], recipe.token_budget, rng)
    ]
    return [plan[i] for i in rng.permutation(len(plan))]
