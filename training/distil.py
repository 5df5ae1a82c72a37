"""A shallower base encoder, taught by the deep one to give the same vectors: hidden states of the last layer, by token.

The student starts from some of the teacher's layers (Sanh et al. 2019) and learns from texts without labels. The
teacher reads each text behind its own prefix, the student without one, so that no caller needs to know of prefixes.
"""

import dataclasses
import json
import shutil
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional
from transformers import BertConfig, BertModel

from training.base import FACTS, write
from training.cross_encoder import read_tokenizer
from training.examples import batches, encode, read_tsv
from training.loop import PAD, Recipe, fit, has_bf16, pad

PREFIX, PASSAGE = "query: ", "passage: "  # of e5's short texts and of its documents
RECIPE = Recipe(epochs=1, learning_rate=4e-4, layer_decay=1.0, dropout=0.0, token_budget=4096, max_length=128, seed=5)
CROP = 160  # characters of a document
LAYERS = {8: (0, 1, 3, 4, 6, 7, 9, 11), 6: (0, 2, 4, 6, 8, 11)}  # of twelve, that the student starts from
OWN = Path(__file__).parent / "data"
TEXTS = (
    ("retrieval/cmrc2018/corpus.tsv", 2),
    ("retrieval/cmrc2018/queries.trial.tsv", 1),
    ("retrieval/drcd_traditional/corpus.tsv", 1),
    ("retrieval/drcd_traditional/queries.dev.tsv", 1),
    ("retrieval/csl_title_abstract/corpus.tsv", 1),
    ("retrieval/toyhom_medical_sample/corpus.tsv", 1),
    ("retrieval/toyhom_medical_sample/queries.train.tsv", 1),
    ("topic/csl_category_title/train.tsv", 1),
    ("sentiment/cped/train.tsv", 1),
    ("aspect/diaasq/train.tsv", 1),
)  # below the data folder, and how many pieces are cut from each text


class Student(torch.nn.Module):
    """A student under the name that the training loop looks for."""

    def __init__(self, bert: BertModel) -> None:
        super().__init__()
        self.bert = bert


def run(base: Path, data: Path, out: Path, layers: int, steps: int | None) -> Path:
    """Trains and writes a base encoder of `layers` layers to `out`; resumable."""
    out.mkdir(parents=True, exist_ok=True)
    recipe = dataclasses.replace(RECIPE, steps=steps)
    tokenizer = read_tokenizer(base)
    teacher = BertModel.from_pretrained(base, attn_implementation="eager", add_pooling_layer=False).eval()
    bare = encode(tokenizer, [PREFIX], 32)[0][1:-1]
    rows = [ids for ids in encode(tokenizer, read_texts(data, recipe.seed), recipe.max_length) if len(ids) > 4]
    plans = [list(batches([len(r) for r in rows], recipe.token_budget, np.random.default_rng(recipe.seed)))]
    teacher.requires_grad_(False)

    def loss_of(model: Student, batch: np.ndarray) -> torch.Tensor:
        ids = pad([rows[i] for i in batch])
        longer = pad([[rows[i][0], *bare, *rows[i][1:]] for i in batch])
        seen = (ids != PAD).unsqueeze(-1)
        with torch.autocast("cpu", torch.bfloat16, enabled=has_bf16()):
            with torch.no_grad():
                theirs = teacher(longer, attention_mask=(longer != PAD).long()).last_hidden_state
            ours = model.bert(ids, attention_mask=(ids != PAD).long()).last_hidden_state.float()
        theirs, there = theirs.float(), (longer != PAD).unsqueeze(-1)
        wanted = (theirs * there).sum(1) / there.sum(1)
        # The first token learns the mean of all, so that a classifier on it starts with a text's vector.
        aligned = torch.cat([wanted.unsqueeze(1), theirs[:, 1 + len(bare) :]], 1)
        by_token = ((ours - aligned).pow(2).mean(-1, keepdim=True) * seen).sum() / (seen.sum() * aligned.var())
        pooled = 1 - functional.cosine_similarity((ours * seen).sum(1), wanted, dim=-1).mean()
        return by_token + 10 * pooled

    def report(_: int, averaged: Student) -> None:
        write(out, averaged.bert.state_dict(), averaged.bert.config.to_diff_dict())

    fit(Student(start(teacher, layers)), plans, loss_of, recipe, out, report)
    shutil.copy(base / "tokenizer.json", out / "tokenizer.json")
    facts = json.loads((base / FACTS).read_text("utf-8"))
    (out / FACTS).write_text(json.dumps(facts | {"layers": layers}, indent=2), encoding="utf-8")
    return out


def start(teacher: BertModel, layers: int) -> BertModel:
    """A BERT with those of the teacher's layers that LAYERS names."""
    config = BertConfig(**{**teacher.config.to_diff_dict(), "num_hidden_layers": layers})
    config._attn_implementation = "eager"
    config.hidden_dropout_prob = config.attention_probs_dropout_prob = 0.0
    student = BertModel(config, add_pooling_layer=False)
    state = {k: v.clone() for k, v in teacher.state_dict().items() if not k.startswith("encoder.")}
    for new, old in enumerate(LAYERS[layers]):
        for key, tensor in teacher.encoder.layer[old].state_dict().items():
            state[f"encoder.layer.{new}.{key}"] = tensor.clone()
    student.load_state_dict(state)
    return student


def read_texts(data: Path, seed: int) -> list[str]:
    """Texts that may be trained on, in random order: the project's own, and TEXTS, documents cut into pieces."""
    rng = np.random.default_rng(seed)
    found: dict[str, None] = {}
    for path in sorted(OWN.rglob("*.tsv")):
        for row in read_tsv(path):
            found.update(dict.fromkeys(v for k, v in row.items() if k not in ("label", "set", "kind", "aspects") and v))
    for name, pieces in TEXTS:
        for row in read_tsv(data / name):
            text = row["text"]
            for _ in range(pieces if len(text) > CROP else 1):
                begin = int(rng.integers(max(1, len(text) - CROP)))
                found[text[begin : begin + CROP]] = None
    texts = list(found)
    return [texts[i] for i in rng.permutation(len(texts))]
