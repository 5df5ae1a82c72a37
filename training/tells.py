"""How far the surface of the project's own texts gives their labels away, to a classifier that reads no words.

A model learns what is easiest. Where answers end in a full stop and traps do not, it learns full stops.
"""

import re
import unicodedata
from collections.abc import Sequence

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import cross_val_predict
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import KBinsDiscretizer

from training import own

SENTENCES = re.compile(r"[。！？!?…~～.]+")
FOLDS, BINS = 5, 6

Row = tuple[str, str | None, int]  # a text, the text that it is asked about, and its label


def labelled_rows() -> dict[str, list[Row]]:
    """The rows of each set, as pairs of text and label, everything but what is held out included."""
    opinions, doubles = own.opinions()[0], own.paraphrases()[0]
    statements, labels, found = own.inferences()[0], own.choices()[0], own.searches()[0]
    sided = [o for o in opinions if o.label != "neutral"]
    said = [(i, (i.entailed, i.neutral, i.contradicted)) for i in statements]
    return {
        "sentiment: positive or negative": [(o.text, None, o.label == "positive") for o in sided],
        "sentiment: an opinion or none": [(o.text, None, o.label != "neutral") for o in opinions],
        "pairs: the same": [(text, p.text, same) for p in doubles for text, same in p.judged()],
        "questions: the same": [(q.text_b, q.text_a, q.same) for q in own.questions()[0]],
        "nli: entailed": [(text, i.text, n == 0) for i, texts in said for n, text in enumerate(texts)],
        "nli: contradicted": [(text, i.text, n == 2) for i, texts in said for n, text in enumerate(texts)],
        "labels: fits": [(label, c.text, n == 0) for c in labels for n, label in enumerate((c.fits, *c.wrong))],
        "searches: answers": [(text, s.query, n == 0) for s in found for n, text in enumerate((s.answer, *s.misses))],
    }


def surface(text: str, about: str | None) -> list[float]:
    """Length, final punctuation, case, digits, count and place of sentences, and characters shared with `about`."""
    letters = _letters(text)
    ends = [match.end() for match in SENTENCES.finditer(text)]
    features = [
        float(len(text)),
        float(text.endswith(("。", "."))),
        float(text.endswith(("！", "!"))),
        float(text.endswith(("？", "?"))),
        float(not text or not unicodedata.category(text[-1]).startswith("P")),
        sum(c.isupper() for c in text) / max(1, len(text)),
        sum(c.isascii() and c.isalpha() for c in text) / max(1, len(text)),
        sum(c.isdigit() for c in text) / max(1, len(text)),
        float(len(ends)),
        (ends[0] if ends else len(text)) / max(1, len(text)),
    ]
    if about is not None:
        other = _letters(about)
        features += [
            len(letters & other) / max(1, len(letters)),
            len(letters & other) / max(1, len(other)),
            len(text) / max(1, len(about)),
        ]
    return features


def auc(rows: Sequence[Row], seed: int = 0) -> float:
    """AUC of logistic regression on binned features of the surface, each row judged by a fit without it."""
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(rows))
    features = np.array([surface(rows[i][0], rows[i][1]) for i in order])
    labels = np.array([int(rows[i][2]) for i in order])
    said = cross_val_predict(_model(), features, labels, cv=FOLDS, method="predict_proba")[:, 1]
    return float(roc_auc_score(labels, said))


def most_telling(groups: Sequence[Sequence[Row]], count: int) -> list[int]:
    """Numbers of the `count` groups of rows whose surface tells their labels best, the worst first.

    A group is what one line of a file gives, which can only be dropped as a whole.
    """
    flat = [row for group in groups for row in group]
    features = np.array([surface(text, about) for text, about, _ in flat])
    labels = np.array([int(label) for *_, label in flat])
    said = _model().fit(features, labels).decision_function(features)
    signed = np.where(labels == 1, said, -said)
    ends = np.cumsum([len(group) for group in groups])
    means = [part.mean() for part in np.split(signed, ends[:-1])]
    return [int(i) for i in np.argsort(means)[::-1][:count]]


def thin(groups: Sequence[Sequence[Row]], most: float) -> list[int]:
    """Numbers of the groups that are left when the most telling ones are dropped, until `auc` is at most `most`."""
    left = list(range(len(groups)))
    while len(left) > len(groups) // 2:
        if auc([row for i in left for row in groups[i]]) <= most:
            break
        dropped = {left[i] for i in most_telling([groups[i] for i in left], max(1, len(left) // 50))}
        left = [i for i in left if i not in dropped]
    return left


def _model() -> Pipeline:
    bins = KBinsDiscretizer(BINS, encode="onehot-dense", strategy="quantile", quantile_method="averaged_inverted_cdf")
    return make_pipeline(bins, LogisticRegression(C=0.1, max_iter=300))


def _letters(text: str) -> set[str]:
    return {c for c in unicodedata.normalize("NFKC", text).lower() if c.isalnum()}
