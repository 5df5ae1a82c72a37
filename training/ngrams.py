"""A second teacher of another kind: logistic regression on character n-grams, trained without its own rows.

It is nearly as good as the small encoder on noisy reviews and errs elsewhere. Its word on a training row
comes from a model that never saw that row, so it can doubt a wrong label that the encoder has memorised.
Features as in Wang & Manning (2012), "Baselines and Bigrams" (NB-SVM), with tf-idf values.
"""

import numpy as np
from scipy import sparse
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from tqdm import tqdm

from training.examples import Example

FOLDS = 4


def judge(labelled: list[Example], others: list[str], seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities of "positive": (of each labelled text, from the other folds; of each other text).

    Both float64, [len(labelled)] and [len(others)].
    """
    texts = TfidfVectorizer(analyzer="char", ngram_range=(1, 3), min_df=3, sublinear_tf=True, dtype=np.float32)
    counts = texts.fit_transform([e.text for e in labelled])
    positive = np.array([e.positive > 0.5 for e in labelled])
    fold = np.random.default_rng(seed).permutation(len(labelled)) % FOLDS
    own, other = np.zeros(len(labelled)), np.zeros(len(others))
    unseen = texts.transform(others) if others else None
    for k in tqdm(range(FOLDS), desc="n-gram folds"):
        ratio, model = _fit(counts[fold != k], positive[fold != k])
        own[fold == k] = model.predict_proba(counts[fold == k] @ ratio)[:, 1]
        if others:
            other += model.predict_proba(unseen @ ratio)[:, 1] / FOLDS
    return own, other


def _fit(counts: sparse.csr_matrix, positive: np.ndarray) -> tuple[sparse.dia_matrix, LogisticRegression]:
    for_, against = (np.asarray(counts[positive == sign].sum(0)).ravel() + 1 for sign in (True, False))
    ratio = sparse.diags(np.log((for_ / for_.sum()) / (against / against.sum())).astype(np.float32))
    return ratio, LogisticRegression(solver="liblinear", dual=True, C=10, max_iter=40).fit(counts @ ratio, positive)
